#include "api/documents/members.hpp"
#include "api/handlers/body.hpp"
#include "api/handlers/entities.hpp"
#include "api/handlers/reply.hpp"
#include "api/http/etag.hpp"
#include "api/json/entity_json.hpp"
#include "engine/model/canonical.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <string>

namespace catenary::api::handlers {

using documents::Place;
using engine::FaultCode;

namespace {

constexpr std::array<std::string_view, 4> members{"tags", "criticality", "facts", "link"};
constexpr std::array<std::string_view, 2> link_words{"allow", "deny"};
constexpr std::size_t most_kind_bytes = 64;  // as for entities of signals
constexpr std::size_t most_value_bytes = 512;
constexpr std::size_t most_tags = 32;
constexpr std::size_t most_tag_bytes = 64;
constexpr std::size_t most_facts_bytes = 4096;

/// The same words as kinds of signals' entities are.
bool is_kind(std::string_view text) {
    const auto is_letter = [](char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'); };
    if (text.empty() || text.size() > most_kind_bytes || !is_letter(text.front())) return false;
    return std::ranges::all_of(text, [&](char letter) { return is_letter(letter) || letter == '_' || letter == '.' || letter == '-'; });
}

/// The entity that the path names, mentioned or not; faults where no signal could name it.
ports::EntityRow named_in_path(const http::Request& request, const Place& path) {
    const auto& kind = request.segments.at(kind_segment);
    const auto canonical = engine::canonical(kind, request.segments.at(value_segment));
    if (!is_kind(kind)) {
        path.member("kind").fault(FaultCode::malformed, documents::in_quotes(kind) + " is no kind: 1 to 64 of a-z and 0-9, after the first also _ . -");
    }
    if (canonical.value.empty()) path.member("value").fault(FaultCode::malformed, "nothing is left of this value in its canonical form");
    if (canonical.value.size() > most_value_bytes) {
        path.member("value").fault(FaultCode::too_large, fmt::format("a value has at most {} bytes, not {}", most_value_bytes, canonical.value.size()));
    }
    return {{kind, canonical.value}, canonical.identifies};
}

std::vector<std::string> read_tags(const Place& place, const nlohmann::json& value) {
    std::set<std::string> tags;
    if (documents::read_list(place, value, 0, most_tags) == nullptr) return {};
    for (std::size_t i = 0; i < value.size(); ++i) {
        const auto tag = documents::read_line(place.item(i), value[i], most_tag_bytes);
        if (tag && !tags.insert(*tag).second) place.item(i).fault(FaultCode::conflict, "this tag is in the list already");
    }
    return {tags.begin(), tags.end()};
}

std::string read_facts(const Place& place, const nlohmann::json& value) {
    if (!value.is_object()) {
        place.fault(FaultCode::wrong_type, fmt::format("must be an object, not {}", documents::type_name(value)));
        return "{}";
    }
    auto text = value.dump();
    if (text.size() > most_facts_bytes) {
        place.fault(FaultCode::too_large, fmt::format("facts have at most {} bytes as compact JSON, not {}", most_facts_bytes, text.size()));
    }
    return text;
}

/// What is left out or null is as if there were none.
ports::EntityNotes read_notes(const Place& place, const nlohmann::json& body, bool identifies) {
    ports::EntityNotes notes;
    if (documents::read_object(place, body, members) == nullptr) return notes;
    const auto given = [&](std::string_view name) {
        const auto* value = documents::optional_member(body, name);
        return value == nullptr || value->is_null() ? nullptr : value;
    };
    if (const auto* tags = given("tags")) notes.tags = read_tags(place.member("tags"), *tags);
    if (const auto* rating = given("criticality")) {
        if (const auto word = documents::read_word(place.member("criticality"), *rating, entities::criticality_words)) {
            notes.criticality = entities::criticality_at(*word);
        }
    }
    if (const auto* facts = given("facts")) notes.facts_json = read_facts(place.member("facts"), *facts);
    if (const auto* link = given("link")) {
        const auto word = documents::read_word(place.member("link"), *link, link_words);
        if (word) notes.link = *engine::link_rule_from(link_words[*word]);
        if (word && !identifies) place.member("link").fault(FaultCode::conflict, "a name that identifies nobody never links; leave `link` out or null");
    }
    return notes;
}

}  // namespace

http::Response change_entity(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    engine::Faults path_faults;
    auto wanted = named_in_path(request, Place{path_faults});
    if (!path_faults.empty()) return http::problem(request, http::ProblemKind::malformed_request, "no signal can name such an entity", path_faults);
    const auto body = read_body(request, BodySyntax::json_only);
    if (body.refusal) return *body.refusal;
    std::optional<std::int64_t> revision;  // that the change is made for
    if (!request.if_match.empty() && request.if_match != "*") {
        const auto known = services.entities.find(caller, wanted.key);
        if (!known && known.error().code != ports::FailureCode::not_found) return failure_reply(request, known.error());
        revision = known ? known->revision : 0;
        if (!http::if_match_holds(request.if_match, *revision)) {
            return http::problem(request, http::ProblemKind::precondition_failed, fmt::format("what is held of the entity is at revision {}", *revision));
        }
    }
    engine::Faults faults;
    wanted.notes = read_notes(Place{faults}, body.value, wanted.identifies);
    if (!faults.empty()) return invalid_document(request, faults);
    const auto changed = services.entities.change(caller, wanted, revision);
    if (!changed) return failure_reply(request, changed.error());
    auto response = json_reply(200, json::to_json(*changed));
    response.headers.emplace_back("ETag", http::etag_of(changed->revision));
    return response;
}

}  // namespace catenary::api::handlers
