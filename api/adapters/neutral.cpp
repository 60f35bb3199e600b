#include "api/adapters/neutral.hpp"

#include "api/json/time_json.hpp"
#include "engine/model/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::api::adapters {

using Json = nlohmann::ordered_json;

namespace {

constexpr int attribute_depth = 12;  // with the signal and its attributes around them below the 16 levels that ingest takes
constexpr std::size_t most_attack_ids = 32;

bool is_attack_id(std::string_view text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    const auto digits = [](std::string_view part) { return std::ranges::all_of(part, engine::is_ascii_digit); };
    if (text.size() == 4) return digits(text);
    return prefix == "T" && text.size() == 8 && digits(text.substr(0, 4)) && text[4] == '.' && digits(text.substr(5));
}

}  // namespace

std::string slug(std::string_view text) {
    std::string made;
    for (const char c : text) {
        const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || engine::is_ascii_digit(c) || static_cast<unsigned char>(c) >= 0x80;
        if (is_word) made += engine::ascii_lower(c);
        else if (!made.empty() && made.back() != '_') made += '_';
    }
    if (!made.empty() && made.back() == '_') made.pop_back();
    return made;
}

bool NeutralSignal::text(std::string_view member, std::initializer_list<Node> nodes, std::size_t most_bytes) {
    for (const auto& node : nodes) {
        auto value = node.text();
        if (!value || value->size() > most_bytes) continue;
        derive(member, *std::move(value), node);
        node.take();
        return true;
    }
    return false;
}

void NeutralSignal::derive(std::string_view member, Json value, const Node& origin) {
    adapted_.signal[std::string{member}] = std::move(value);
    adapted_.origins.insert_or_assign(fmt::format("/{}", member), origin.pointer());
}

void NeutralSignal::time(engine::Timestamp time, const Node& origin) {
    derive("time", json::format_time(time), origin);
    origin.take();
}

bool NeutralSignal::entity(std::string_view kind, const Node& value, std::string_view role) {
    const auto text = value.text();
    return text && entity(kind, *text, {value}, role);
}

bool NeutralSignal::entity(std::string_view kind, const std::string& value, std::initializer_list<Node> parts, std::string_view role) {
    if (engine::trimmed(value).empty() || value.size() > most_entity_bytes) return false;
    const auto [known, is_new] = entities_.try_emplace({std::string{kind}, value}, entities_.size());
    if (is_new && known->second >= most_entities) {
        entities_.erase(known);
        return false;
    }
    if (is_new) {
        Json made{{"kind", kind}, {"value", value}};
        if (!role.empty()) made["role"] = role;
        adapted_.signal["entities"].push_back(std::move(made));
        adapted_.origins.emplace(fmt::format("/entities/{}", known->second), parts.begin()->pointer());
    }
    for (const auto& part : parts) part.take();
    return true;
}

bool NeutralSignal::attack_id(std::string_view member, const Node& id, std::string_view prefix) {
    const auto text = id.text();
    if (!text || !is_attack_id(*text, prefix)) return false;
    auto& list = adapted_.signal[std::string{member}];
    if (std::find(list.begin(), list.end(), Json(*text)) == list.end()) {
        if (list.size() == most_attack_ids) return false;
        list.push_back(*text);
    }
    id.take();
    return true;
}

void NeutralSignal::tactic(const Node& id) { attack_id("tactics", id, "TA"); }
void NeutralSignal::technique(const Node& id) { attack_id("techniques", id, "T"); }

Adapted NeutralSignal::finish(const Record& record) && {
    for (const auto* list : {"tactics", "techniques"}) {
        if (adapted_.signal.contains(list) && adapted_.signal[list].empty()) adapted_.signal.erase(list);
    }
    auto rest = record.rest(attribute_depth);
    if (!rest.empty()) adapted_.signal["attributes"] = Json(std::move(rest));
    adapted_.origins.emplace("/attributes", "");
    return std::move(adapted_);
}

}  // namespace catenary::api::adapters
