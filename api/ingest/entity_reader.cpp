#include "api/ingest/entity_reader.hpp"

#include "engine/model/canonical.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace catenary::api::ingest {
namespace {

using engine::FaultCode;

constexpr std::size_t most_kind_bytes = 64;
constexpr std::size_t most_role_bytes = 64;
constexpr std::size_t most_aliases = 15;  // with the entity itself 16 identifiers, the bound of an alias set

}  // namespace

EntityReader::Entities EntityReader::read(ondemand::value& value, std::size_t depth) {
    list_.clear();
    aliases_.clear();
    shown_.clear();
    if (!members_->is(ondemand::json_type::array, value, depth)) return {};
    std::size_t index = 0;
    for (auto entry : value.get_array().value()) {
        ondemand::value item = std::move(entry).take_value();
        const Step step{members_->trail(), index};
        if (index++ == limits_.entities) members_->fault(FaultCode::too_large, fmt::format("at most {} entities are allowed", limits_.entities));
        if (index > limits_.entities) continue;  // skipped by the parser; the item is refused
        entity(item, depth + 1);
    }
    if (!members_->faults().empty()) return {};
    Entities read;
    if (!list_.empty()) {
        auto* copy = static_cast<PreparedEntity*>(members_->arena().allocate(list_.size() * sizeof(PreparedEntity), alignof(PreparedEntity)));
        std::uninitialized_copy(list_.begin(), list_.end(), copy);
        read.list = {copy, list_.size()};
    }
    if (!shown_.empty()) {
        shown_ += "}}";
        read.shown = kept(shown_, members_->arena());
    }
    text_.clear();
    for (std::size_t i = 0; i < aliases_.size(); ++i) {
        if (!aliases_[i].empty()) fmt::format_to(std::back_inserter(text_), "{}\"{}\":[{}]", text_.empty() ? '{' : ',', i, aliases_[i]);
    }
    if (!text_.empty()) text_ += '}';
    read.aliases = kept(text_, members_->arena());
    return read;
}

void EntityReader::entity(ondemand::value& value, std::size_t depth) {
    if (!members_->is(ondemand::json_type::object, value, depth)) return;
    constexpr std::string_view names[] = {"kind", "value", "role", "aliases"};
    NamedOnce once{*members_, names};
    Parts parts;
    for (auto entry : value.get_object().value()) {
        ondemand::field field = std::move(entry).take_value();
        const auto name = members_->name(field);
        const Step step{members_->trail(), name};
        switch (once.place(name)) {
            case 0: parts.kind = members_->word(field.value(), depth + 1, most_kind_bytes).value_or(""); break;
            case 1:
                parts.spelling = token_of(field.value());
                parts.value = members_->text(field.value(), depth + 1, limits_.entity_bytes).value_or("");
                break;
            case 2: parts.role = members_->line(field.value(), depth + 1, most_role_bytes).value_or(""); break;
            case 3: parts.aliases = alias_list(field.value(), depth + 1); break;
            default: members_->unknown(field.value(), depth + 1, "kind, value, role, aliases"); break;
        }
    }
    once.require("kind");
    once.require("value");
    if (!parts.kind.empty() && !parts.value.empty()) keep(parts);
}

void EntityReader::keep(const Parts& parts) {
    const auto canonical = engine::canonical(parts.kind, parts.value);
    if (canonical.value.empty()) {
        const Step step{members_->trail(), "value"};
        return members_->fault(FaultCode::malformed, "nothing is left of this value in its canonical form");
    }
    if (canonical.value.size() > limits_.entity_bytes) {
        const Step step{members_->trail(), "value"};
        return members_->fault(FaultCode::too_large, fmt::format("the canonical form of this value is longer than {} bytes", limits_.entity_bytes));
    }
    const auto same =
        std::find_if(list_.begin(), list_.end(), [&](const auto& entity) { return entity.kind == parts.kind && entity.value == canonical.value; });
    if (same != list_.end()) {  // the first mention stays; what it lacks is taken from the repeat
        if (same->role.empty()) same->role = parts.role;
        auto& aliases = aliases_[static_cast<std::size_t>(same - list_.begin())];
        if (aliases.empty()) aliases = parts.aliases;
        return;
    }
    const bool as_posted = canonical.value == parts.value;
    if (!as_posted) {
        fmt::format_to(std::back_inserter(shown_), "{}\"{}\":{}", shown_.empty() ? "{\"values\":{" : ",", list_.size(), parts.spelling);
    }
    list_.push_back({parts.kind, as_posted ? parts.value : kept(canonical.value, members_->arena()), parts.role, canonical.identifies});
    aliases_.push_back(parts.aliases);
}

std::string_view EntityReader::alias_list(ondemand::value& value, std::size_t depth) {
    if (!members_->is(ondemand::json_type::array, value, depth)) return {};
    std::string list;
    std::size_t index = 0;
    for (auto entry : value.get_array().value()) {
        ondemand::value item = std::move(entry).take_value();
        const Step step{members_->trail(), index};
        if (index++ == most_aliases) members_->fault(FaultCode::too_large, fmt::format("at most {} aliases are allowed", most_aliases));
        if (index <= most_aliases) alias(item, depth + 1, list);
    }
    return kept(list, members_->arena());
}

void EntityReader::alias(ondemand::value& value, std::size_t depth, std::string& list) {
    if (!members_->is(ondemand::json_type::object, value, depth)) return;
    constexpr std::string_view names[] = {"kind", "value"};
    NamedOnce once{*members_, names};
    std::string_view kind;
    std::string_view spelling;
    for (auto entry : value.get_object().value()) {
        ondemand::field field = std::move(entry).take_value();
        const auto name = members_->name(field);
        const Step step{members_->trail(), name};
        switch (once.place(name)) {
            case 0: kind = members_->word(field.value(), depth + 1, most_kind_bytes).value_or(""); break;
            case 1:
                spelling = token_of(field.value());
                members_->text(field.value(), depth + 1, limits_.entity_bytes);
                break;
            default: members_->unknown(field.value(), depth + 1, "kind, value"); break;
        }
    }
    once.require("kind");
    once.require("value");
    fmt::format_to(std::back_inserter(list), R"({}{{"kind":"{}","value":{}}})", list.empty() ? "" : ",", kind, spelling);
}

}  // namespace catenary::api::ingest
