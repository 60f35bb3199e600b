#include "server/ingest/signal_row.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace catenary::server {
namespace {

using Json = nlohmann::ordered_json;

// Stored as numbers: append only, never reorder or remove.
constexpr std::array<std::string_view, 28> known_roles{"",        "actor",  "target",    "source",    "destination", "user",     "device",
                                                       "host",    "sender", "recipient", "victim",    "attacker",    "observer", "owner",
                                                       "subject", "object", "parent",    "process",   "child",       "affected", "related",
                                                       "client",  "server", "resource",  "initiator", "peer",        "proxy",    "admin"};

std::string text_of(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

template <class Read>
auto read(std::string_view text, Read&& take) {
    try {
        return take(Json::parse(text));
    } catch (const nlohmann::json::exception& error) {
        throw std::invalid_argument(std::string{"damaged signal row: "} + error.what());
    }
}

std::size_t index_from(const std::string& key) {
    std::size_t used = 0;
    const auto index = std::stoul(key, &used);
    if (used != key.size()) throw std::invalid_argument("damaged signal row: entity index " + key);
    return index;
}

/// Appends `member` to the object being written; `json` is a JSON value.
void append_member(std::string& object, std::string_view member, std::string_view json) {
    object += object.empty() ? "{\"" : ",\"";
    object += member;
    object += "\":";
    object += json;
}

/// What the preparation says of original spellings: the bare object, or the object under "values".
std::string_view spelled_values(std::string_view shown) {
    constexpr std::string_view wrapped = "{\"values\":";
    if (shown.starts_with(wrapped) && shown.ends_with('}')) return shown.substr(wrapped.size(), shown.size() - wrapped.size() - 1);
    return shown;
}

}  // namespace

std::uint8_t role_code(std::string_view role) {
    if (role.empty()) return 0;
    const auto it = std::find(known_roles.begin(), known_roles.end(), role);
    return it == known_roles.end() ? spelled_role : static_cast<std::uint8_t>(it - known_roles.begin());
}

std::string_view role_name(std::uint8_t code) { return code < known_roles.size() ? known_roles[code] : std::string_view{}; }

std::string shown_text(const api::ingest::PreparedSignal& signal, std::string_view title) {
    std::string object;
    if (!signal.shown.empty()) append_member(object, "values", spelled_values(signal.shown));
    Json roles = Json::object();
    for (std::size_t i = 0; i < signal.entities.size(); ++i) {
        if (role_code(signal.entities[i].role) == spelled_role) roles[std::to_string(i)] = signal.entities[i].role;
    }
    if (!roles.empty()) append_member(object, "roles", text_of(roles));
    if (!title.empty()) append_member(object, "title", text_of(Json(title)));
    if (!signal.aliases.empty()) append_member(object, "aliases", signal.aliases);
    if (!object.empty()) object += '}';
    return object;
}

ShownParts shown_from(std::string_view text) {
    ShownParts parts;
    if (text.empty()) return parts;
    return read(text, [&](const Json& object) {
        if (!object.is_object()) throw std::invalid_argument("damaged signal row: shown is no object");
        if (const auto it = object.find("values"); it != object.end()) parts.values_json = text_of(*it);
        if (const auto it = object.find("roles"); it != object.end()) {
            for (const auto& [index, role] : it->items()) parts.roles[index_from(index)] = role.get<std::string>();
        }
        if (const auto it = object.find("title"); it != object.end()) parts.title = it->get<std::string>();
        if (const auto it = object.find("aliases"); it != object.end()) parts.aliases_json = text_of(*it);
        return std::move(parts);
    });
}

std::string role_of(std::span<const std::byte> codes, std::size_t index, const ShownParts& shown) {
    if (index >= codes.size()) return {};
    const auto code = std::to_integer<std::uint8_t>(codes[index]);
    if (code != spelled_role) return std::string{role_name(code)};
    const auto it = shown.roles.find(index);
    return it == shown.roles.end() ? std::string{} : it->second;
}

std::string mentions_to_text(std::span<const engine::EntityMention> mentions) {
    Json list = Json::array();
    for (const auto& mention : mentions) {
        list.push_back({{"kind", mention.kind}, {"value", mention.value}, {"role", mention.role}, {"identifies", mention.identifies}});
    }
    return text_of(list);
}

std::vector<engine::EntityMention> mentions_from_text(std::string_view text) {
    return read(text, [](const Json& list) {
        std::vector<engine::EntityMention> mentions;
        for (const auto& item : list) {
            mentions.push_back({item.at("kind").get<std::string>(), item.at("value").get<std::string>(), item.at("role").get<std::string>(),
                                item.at("identifies").get<bool>()});
        }
        return mentions;
    });
}

}  // namespace catenary::server
