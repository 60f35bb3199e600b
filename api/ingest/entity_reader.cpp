#include "api/ingest/entity_reader.hpp"

#include "engine/model/canonical.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>

namespace catenary::api::ingest {
namespace {

using engine::FaultCode;

constexpr std::size_t most_kind_bytes = 64;
constexpr std::size_t most_role_bytes = 64;
constexpr std::size_t most_aliases = 15;  // with the entity itself 16 identifiers, the bound of an alias set

enum EntityMember : std::size_t { kind, value_member, role, aliases };
constexpr std::string_view entity_members[] = {"kind", "value", "role", "aliases"};
constexpr std::string_view alias_members[] = {"kind", "value"};

}  // namespace

EntityReader::Entities EntityReader::read(ondemand::value& value, const At& at) {
    list_.clear();
    aliases_.clear();
    shown_.clear();
    if (!members_->is(ondemand::json_type::array, value, at)) return {};
    std::size_t index = 0;
    for (ondemand::array entries = value.get_array().value(); auto entry : entries) {
        auto& item = taken(entry);
        const Place place{at.place, index};
        if (index++ == limits_.entities) members_->fault(FaultCode::too_large, place, fmt::format("at most {} entities are allowed", limits_.entities));
        if (index > limits_.entities) continue;  // skipped by the parser; the item is refused
        entity(item, {place, at.depth + 1});
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
    read.aliases = aliases_text();
    return read;
}

std::string_view EntityReader::aliases_text() {
    std::string text;
    for (std::size_t i = 0; i < aliases_.size(); ++i) {
        if (!aliases_[i].empty()) fmt::format_to(std::back_inserter(text), "{}\"{}\":[{}]", text.empty() ? '{' : ',', i, aliases_[i]);
    }
    if (!text.empty()) text += '}';
    return kept(text, members_->arena());
}

void EntityReader::entity(ondemand::value& value, const At& at) {
    if (!members_->is(ondemand::json_type::object, value, at)) return;
    MemberNames names{*members_, entity_members};
    Parts parts;
    for (ondemand::object entries = value.get_object().value(); auto entry : entries) {
        auto& field = taken(entry);
        const auto [index, name] = names.find(field, at.place);
        const Place place{at.place, name};
        const At inner{place, at.depth + 1};
        auto& given = field.value();
        switch (index) {
            case EntityMember::kind: parts.kind = members_->word(given, inner, most_kind_bytes).value_or(""); break;
            case EntityMember::value_member:
                parts.spelling = token_of(given);
                parts.value = members_->text(given, inner, limits_.entity_bytes).value_or("");
                break;
            case EntityMember::role: parts.role = members_->line(given, inner, most_role_bytes).value_or(""); break;
            case EntityMember::aliases: parts.aliases = alias_list(given, inner); break;
            default: names.unknown(given, inner); break;
        }
    }
    names.require(EntityMember::kind, at.place);
    names.require(EntityMember::value_member, at.place);
    if (!parts.kind.empty() && !parts.value.empty()) keep(parts, at.place);
}

void EntityReader::keep(const Parts& parts, const Place& place) {
    const auto canonical = engine::canonical(parts.kind, parts.value);
    if (canonical.value.empty()) {
        return members_->fault(FaultCode::malformed, {place, "value"}, "nothing is left of this value in its canonical form");
    }
    if (canonical.value.size() > limits_.entity_bytes) {
        return members_->fault(FaultCode::too_large, {place, "value"},
                               fmt::format("the canonical form of this value is longer than {} bytes", limits_.entity_bytes));
    }
    const auto same =
        std::find_if(list_.begin(), list_.end(), [&](const auto& entity) { return entity.kind == parts.kind && entity.value == canonical.value; });
    if (same != list_.end()) {  // the first mention stays; what it lacks is taken from the repeat
        if (same->role.empty()) same->role = parts.role;
        auto& own_aliases = aliases_[static_cast<std::size_t>(same - list_.begin())];
        if (own_aliases.empty()) own_aliases = parts.aliases;
        return;
    }
    const bool as_posted = canonical.value == parts.value;
    if (!as_posted) {
        fmt::format_to(std::back_inserter(shown_), "{}\"{}\":{}", shown_.empty() ? "{\"values\":{" : ",", list_.size(), parts.spelling);
    }
    list_.push_back({parts.kind, as_posted ? parts.value : kept(canonical.value, members_->arena()), parts.role, canonical.identifies});
    aliases_.push_back(parts.aliases);
}

std::string_view EntityReader::alias_list(ondemand::value& value, const At& at) {
    if (!members_->is(ondemand::json_type::array, value, at)) return {};
    std::string list;
    std::size_t index = 0;
    for (ondemand::array entries = value.get_array().value(); auto entry : entries) {
        auto& item = taken(entry);
        const Place place{at.place, index};
        if (index++ == most_aliases) members_->fault(FaultCode::too_large, place, fmt::format("at most {} aliases are allowed", most_aliases));
        if (index <= most_aliases) alias(item, {place, at.depth + 1}, list);
    }
    return kept(list, members_->arena());
}

void EntityReader::alias(ondemand::value& value, const At& at, std::string& list) {
    if (!members_->is(ondemand::json_type::object, value, at)) return;
    MemberNames names{*members_, alias_members};
    std::string_view alias_kind;
    std::string_view spelling;
    for (ondemand::object entries = value.get_object().value(); auto entry : entries) {
        auto& field = taken(entry);
        const auto [index, name] = names.find(field, at.place);
        const Place place{at.place, name};
        const At inner{place, at.depth + 1};
        switch (index) {
            case EntityMember::kind: alias_kind = members_->word(field.value(), inner, most_kind_bytes).value_or(""); break;
            case EntityMember::value_member:
                spelling = token_of(field.value());
                members_->text(field.value(), inner, limits_.entity_bytes);
                break;
            default: names.unknown(field.value(), inner); break;
        }
    }
    names.require(EntityMember::kind, at.place);
    names.require(EntityMember::value_member, at.place);
    fmt::format_to(std::back_inserter(list), R"({}{{"kind":"{}","value":{}}})", list.empty() ? "" : ",", alias_kind, spelling);
}

}  // namespace catenary::api::ingest
