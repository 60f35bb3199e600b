#include "api/handlers/connectors.hpp"

#include "api/documents/members.hpp"
#include "api/handlers/body.hpp"
#include "api/handlers/reply.hpp"
#include "api/http/etag.hpp"
#include "api/http/target.hpp"
#include "api/json/ticket_json.hpp"
#include "api/tickets/condition.hpp"
#include "api/tickets/connector_document.hpp"
#include "api/tickets/target_url.hpp"
#include "api/tickets/ticket_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace catenary::api::handlers {

using documents::Place;
using engine::FaultCode;
using tickets::ConnectorRow;

namespace {

constexpr std::size_t name_segment = 3;  // /api/v1/connectors/{name}
constexpr std::size_t most_name_bytes = 64;

/// As it stands in paths, logs and histories.
bool is_name(std::string_view name) {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'; };
    return !name.empty() && name.size() <= most_name_bytes && std::ranges::all_of(name, fits) && name.front() != '.' && name.front() != '-';
}

http::Response connector_reply(const ConnectorRow& connector, int status) {
    auto response = json_reply(status, json::to_json(connector));
    response.headers.emplace_back("ETag", http::etag_of(connector.revision));
    return response;
}

nlohmann::json secrets_to_json(const tickets::Secrets& secrets) {
    auto value = nlohmann::json::object();
    for (const auto& [name, values] : secrets) value[name] = values;
    return value;
}

/// What the document cannot tell by itself: whether the secrets that are there still serve.
void check_secrets(const Place& place, const tickets::ConnectorDocument& wanted, const std::optional<ConnectorRow>& known) {
    const auto required = [&](std::string_view why) {
        place.member("secrets").fault(FaultCode::missing, fmt::format("{}: give {}", why, fmt::join(tickets::secrets_of(wanted.connector.kind), " and ")));
    };
    if (!known) {
        if (!wanted.secrets) required("a new connector needs its secrets");
        return;
    }
    const auto stored = tickets::stored_connector(known->document_json);
    if (stored.kind != wanted.connector.kind) {
        place.member("kind").fault(FaultCode::conflict,
                                   fmt::format("this connector is a {}; its tickets belong to that: remove it, or make another", to_string(stored.kind)));
    } else if (!wanted.secrets && tickets::origin_of(stored.url) != tickets::origin_of(wanted.connector.url)) {
        required("secrets are not sent to another address than the one that they were given for");
    }
}

ports::Outcome<tickets::TicketStory> story_of(engine::IncidentNumber number, const std::string& connector, const Caller& caller, ports::Services& services) {
    auto evidence = services.incidents.evidence(caller, number, {tickets::most_timeline_lines, ""});
    if (!evidence) return evidence.error();
    const bool more = evidence->page.next.has_value();
    auto kin = services.desk.kin(caller, connector, number);
    if (!kin) return kin.error();
    return tickets::TicketStory{std::move(evidence->record), std::move(evidence->findings), std::move(evidence->page.items), more, *std::move(kin)};
}

}  // namespace

http::Response list_connectors(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto page = services.desk.connectors(caller, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [](const ConnectorRow& row) { return json::to_json(row); });
}

http::Response get_connector(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto connector = services.desk.connector(caller, request.segments.at(name_segment));
    if (!connector) return failure_reply(request, connector.error());
    return connector_reply(*connector, 200);
}

http::Response put_connector(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto& name = request.segments.at(name_segment);
    if (!is_name(name)) {
        return http::problem(request, http::ProblemKind::malformed_request,
                             fmt::format("a connector's name has 1 to {} of a-z 0-9 - _ . and begins with a letter, a digit or _", most_name_bytes));
    }
    const auto body = read_body(request, BodySyntax::json_only);
    if (body.refusal) return *body.refusal;
    const auto found = services.desk.connector(caller, name);
    if (!found && found.error().code != ports::FailureCode::not_found) return failure_reply(request, found.error());
    const auto known = found ? std::optional{*found} : std::nullopt;
    std::optional<std::int64_t> revision;  // that the change is made for
    if (!request.if_match.empty()) {
        revision = known ? known->revision : 0;
        const bool holds = request.if_match == "*" ? known.has_value() : http::if_match_holds(request.if_match, *revision);
        if (!holds) return http::problem(request, http::ProblemKind::precondition_failed, fmt::format("the connector is at revision {}", *revision));
        if (request.if_match == "*") revision.reset();
    }
    engine::Faults faults;
    const auto wanted = tickets::connector_from_json(Place{faults}, body.value);
    if (faults.empty()) check_secrets(Place{faults}, wanted, known);
    if (!faults.empty()) return invalid_document(request, faults);
    ConnectorRow row;
    row.name = name;
    row.document_json = wanted.connector.document.dump();
    const auto secrets = wanted.secrets ? std::optional{secrets_to_json(*wanted.secrets).dump()} : std::nullopt;
    const auto stored = services.desk.put_connector(caller, row, secrets, revision);
    if (!stored) return failure_reply(request, stored.error());
    return connector_reply(*stored, known ? 200 : 201);
}

http::Response remove_connector(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto& name = request.segments.at(name_segment);
    std::optional<std::int64_t> revision;
    if (!request.if_match.empty() && request.if_match != "*") {
        const auto known = services.desk.connector(caller, name);
        if (!known) return failure_reply(request, known.error());
        revision = known->revision;
        if (!http::if_match_holds(request.if_match, *revision)) {
            return http::problem(request, http::ProblemKind::precondition_failed, fmt::format("the connector is at revision {}", *revision));
        }
    }
    const auto removed = services.desk.remove_connector(caller, name, revision);
    if (!removed) return failure_reply(request, removed.error());
    return {.status = 204, .content_type = "", .headers = {}, .body = {}};
}

http::Response test_connector(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_all_but_path(request)) return *refusal;
    const auto tested = services.desk.test_connector(caller, request.segments.at(name_segment));
    if (!tested) return failure_reply(request, tested.error());
    return json_reply(200, {{"ok", tested->ok}, {"detail", tested->detail}});
}

http::Response preview_connector(const http::Request& request, const Caller& caller, ports::Services& services) {
    constexpr std::array<std::string_view, 1> members{"incident"};
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto body = read_body(request, BodySyntax::json_only);
    if (body.refusal) return *body.refusal;
    engine::Faults faults;
    const Place place{faults};
    std::optional<std::int64_t> number;
    if (documents::read_object(place, body.value, members) != nullptr) {
        if (const auto* value = documents::required(place, body.value, "incident")) {
            number = documents::read_integer(place.member("incident"), *value, 1, std::numeric_limits<std::int64_t>::max());
        }
    }
    if (!faults.empty()) return invalid_document(request, faults);
    const auto row = services.desk.connector(caller, request.segments.at(name_segment));
    if (!row) return failure_reply(request, row.error());
    const auto story = story_of(engine::IncidentNumber{*number}, row->name, caller, services);
    if (!story) return failure_reply(request, story.error());
    const auto connector = tickets::stored_connector(row->document_json);
    const auto text = tickets::ticket_text(connector, *story);
    const auto word_of = [](const auto& map, auto key) {
        const auto found = map.find(key);
        return found == map.end() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(found->second);
    };
    return json_reply(200, {{"incident", story->record.number.value()},
                            {"meets_condition", tickets::meets(connector.condition, story->record)},
                            {"title", text.title},
                            {"body", text.body},
                            {"priority", word_of(connector.priorities, story->record.severity)},
                            {"status", word_of(connector.statuses, story->record.status)},
                            {"assignee", connector.assignee.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(connector.assignee)},
                            {"labels", connector.labels}});
}

}  // namespace catenary::api::handlers
