#include "api/handlers/keys.hpp"

#include "api/documents/members.hpp"
#include "api/handlers/body.hpp"
#include "api/handlers/reply.hpp"
#include "api/http/target.hpp"
#include "api/json/time_json.hpp"

#include <algorithm>
#include <array>

namespace catenary::api::handlers {

using documents::Place;
using engine::FaultCode;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::array<std::string_view, 3> members{"scopes", "sources", "expires"};
constexpr std::array<std::string_view, 2> rotation_members{"overlap", "expires"};
constexpr engine::Duration usual_overlap = std::chrono::hours{24};
constexpr engine::Duration longest_overlap = std::chrono::hours{24} * 30;
constexpr std::array<Scope, 7> scopes{Scope::signals_write,   Scope::signals_read,  Scope::incidents_read, Scope::incidents_write,
                                      Scope::catalogue_write, Scope::tickets_write, Scope::admin};
constexpr std::size_t most_sources = 100;

Json to_json(const ports::KeyRow& row) {
    Json value{{"id", row.id}};
    auto& words = value["scopes"] = Json::array();
    for (const auto scope : scopes) {
        if ((row.scopes & static_cast<std::uint16_t>(scope)) != 0) words.push_back(to_string(scope));
    }
    value["sources"] = row.sources;
    value["created"] = json::format_time(row.created);
    value["expires"] = row.expires ? Json(json::format_time(*row.expires)) : Json(nullptr);
    value["last_used"] = row.last_used ? Json(json::format_time(*row.last_used)) : Json(nullptr);
    return value;
}

void read_scopes(const Place& place, const nlohmann::json& value, ports::KeyRow& wanted) {
    std::array<std::string_view, scopes.size()> words;
    std::ranges::transform(scopes, words.begin(), [](Scope scope) { return to_string(scope); });
    if (documents::read_list(place, value, 1, scopes.size()) == nullptr) return;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (const auto index = documents::read_word(place.item(i), value[i], words)) {
            if ((wanted.scopes & static_cast<std::uint16_t>(scopes[*index])) != 0)
                place.item(i).fault(FaultCode::conflict, "this scope is in the list already");
            wanted.scopes = static_cast<std::uint16_t>(wanted.scopes | static_cast<std::uint16_t>(scopes[*index]));
        }
    }
}

/// Of a new key; empty without the member, or with null.
std::optional<engine::Timestamp> read_expiry(const Place& place, const nlohmann::json& body) {
    const auto* value = documents::optional_member(body, "expires");
    if (value == nullptr || value->is_null()) return std::nullopt;
    const auto at = place.member("expires");
    const auto text = documents::read_line(at, *value, 64);
    if (!text) return std::nullopt;
    const auto expires = json::parse_time(*text);
    if (!expires) at.fault(FaultCode::malformed, "must be an RFC 3339 time with an offset");
    return expires;
}

ports::KeyRow read_key(const Place& place, const nlohmann::json& body) {
    ports::KeyRow wanted;
    if (documents::read_object(place, body, members) == nullptr) return wanted;
    if (const auto* value = documents::required(place, body, "scopes")) read_scopes(place.member("scopes"), *value, wanted);
    if (const auto* value = documents::optional_member(body, "sources")) {
        const auto at = place.member("sources");
        if (documents::read_list(at, *value, 0, most_sources) != nullptr) {
            for (std::size_t i = 0; i < value->size(); ++i) {
                auto source = documents::read_line(at.item(i), (*value)[i], 128);
                if (!source) continue;
                if (std::ranges::find(wanted.sources, *source) != wanted.sources.end())
                    at.item(i).fault(FaultCode::conflict, "this source is in the list already");
                wanted.sources.push_back(*std::move(source));
            }
        }
    }
    wanted.expires = read_expiry(place, body);
    return wanted;
}

/// "0s" to "30d"; a pattern's spans are never 0, this one may be.
engine::Duration read_overlap(const Place& place, const nlohmann::json& value) {
    const auto text = documents::read_line(place, value, 16);
    if (!text) return {};
    if (*text == "0s") return {};
    const auto span = json::parse_span(*text);
    if (!span) {
        place.fault(FaultCode::malformed, "must be a whole number and one of s m h d, such as \"24h\"");
    } else if (*span > longest_overlap) {
        place.fault(FaultCode::out_of_range, "the old key goes on for at most 30d");
    }
    return span.value_or(engine::Duration{});
}

ports::KeyRotation read_rotation(const Place& place, const nlohmann::json& body) {
    ports::KeyRotation rotation{usual_overlap, {}};
    if (documents::read_object(place, body, rotation_members) == nullptr) return rotation;
    if (const auto* value = documents::optional_member(body, "overlap")) rotation.overlap = read_overlap(place.member("overlap"), *value);
    rotation.expires = read_expiry(place, body);
    return rotation;
}

}  // namespace

http::Response list_keys(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto page = services.tenants.keys(caller, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [](const ports::KeyRow& row) { return to_json(row); });
}

http::Response add_key(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto body = read_body(request, BodySyntax::json_only);
    if (body.refusal) return *body.refusal;
    engine::Faults faults;
    const auto wanted = read_key(Place{faults}, body.value);
    if (!faults.empty()) return invalid_document(request, faults);
    const auto made = services.tenants.add_key(caller, wanted);
    if (!made) return failure_reply(request, made.error());
    auto value = to_json(made->row);
    value["key"] = made->key;
    auto response = json_reply(201, value);
    response.headers.emplace_back("Location", "/api/v1/keys/" + http::percent_encoded(made->row.id));
    return response;
}

http::Response rotate_key(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto body = read_body(request, BodySyntax::json_only);
    if (body.refusal) return *body.refusal;
    engine::Faults faults;
    const auto rotation = read_rotation(Place{faults}, body.value);
    if (!faults.empty()) return invalid_document(request, faults);
    const auto rotated = services.tenants.rotate_key(caller, request.segments[3], rotation);
    if (!rotated) return failure_reply(request, rotated.error());
    auto value = to_json(rotated->made.row);
    value["key"] = rotated->made.key;
    value["replaces"] = {{"id", rotated->replaced}, {"expires", json::format_time(rotated->replaced_expires)}};
    auto response = json_reply(201, value);
    response.headers.emplace_back("Location", "/api/v1/keys/" + http::percent_encoded(rotated->made.row.id));
    return response;
}

http::Response remove_key(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto& id = request.segments.back();
    if (id == caller.key_id) return http::problem(request, http::ProblemKind::conflict, "a key cannot remove itself; use another one");
    const auto removed = services.tenants.remove_key(caller, id);
    if (!removed) return failure_reply(request, removed.error());
    return {204, "", {}, ""};
}

}  // namespace catenary::api::handlers
