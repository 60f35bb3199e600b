#include "api/documents/members.hpp"
#include "api/handlers/body.hpp"
#include "api/handlers/connectors.hpp"
#include "api/handlers/filters.hpp"
#include "api/handlers/incidents.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/ticket_json.hpp"

#include <array>
#include <limits>

namespace catenary::api::handlers {
namespace {

constexpr std::size_t id_segment = 3;  // /api/v1/tickets/{id}/sync, /api/v1/deliveries/{id}/retry
constexpr auto most_id = std::numeric_limits<std::int64_t>::max();

}  // namespace

std::optional<http::Response> refuse_all_but_path(const http::Request& request) {
    if (auto refusal = refuse_parameters(request)) return refusal;
    if (request.body.empty()) return std::nullopt;
    return http::problem(request, http::ProblemKind::malformed_request, "this takes no body: send none");
}

http::Response list_tickets(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    tickets::TicketFilter filter;
    filter.connectors = query.many("connector");
    for (const auto i : query.words("state", tickets::ticket_state_words)) filter.states.push_back(static_cast<tickets::TicketState>(i));
    if (const auto number = query.integer("incident", 1, most_id)) filter.incident = engine::IncidentNumber{*number};
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto page = services.desk.tickets(caller, filter, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [](const tickets::TicketRow& row) { return json::to_json(row); });
}

http::Response sync_ticket(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_all_but_path(request)) return *refusal;
    const auto id = positive_number(request.segments.at(id_segment));
    if (!id) return not_found(request, "a ticket is named by its number");
    const auto ticket = services.desk.sync_ticket(caller, *id);
    if (!ticket) return failure_reply(request, ticket.error());
    return json_reply(202, json::to_json(*ticket));
}

http::Response open_ticket(const http::Request& request, const Caller& caller, ports::Services& services) {
    constexpr std::array<std::string_view, 1> members{"connector"};
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto number = number_in_path(request);
    if (!number) return failure_reply(request, number.error());
    const auto body = read_body(request, BodySyntax::json_only);
    if (body.refusal) return *body.refusal;
    engine::Faults faults;
    const documents::Place place{faults};
    std::optional<std::string> connector;
    if (documents::read_object(place, body.value, members) != nullptr) {
        if (const auto* value = documents::required(place, body.value, "connector")) connector = documents::read_line(place.member("connector"), *value, 64);
    }
    if (!faults.empty()) return invalid_document(request, faults);
    const auto ticket = services.desk.open_ticket(caller, *number, *connector);
    if (!ticket) return failure_reply(request, ticket.error());
    return json_reply(202, json::to_json(*ticket));
}

http::Response list_deliveries(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    tickets::DeliveryFilter filter;
    filter.connectors = query.many("connector");
    filter.ticket = query.integer("ticket", 1, most_id);
    filter.failed_only = query.flag("failed");
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto page = services.desk.deliveries(caller, filter, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [](const tickets::DeliveryRow& row) { return json::to_json(row); });
}

http::Response retry_delivery(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_all_but_path(request)) return *refusal;
    const auto id = positive_number(request.segments.at(id_segment));
    if (!id) return not_found(request, "a delivery is named by its number");
    const auto ticket = services.desk.retry_delivery(caller, *id);
    if (!ticket) return failure_reply(request, ticket.error());
    return json_reply(202, json::to_json(*ticket));
}

std::optional<ports::Failure> add_tickets(const std::vector<engine::IncidentNumber>& numbers, nlohmann::ordered_json& incidents, const Caller& caller,
                                          ports::Services& services) {
    if (numbers.empty()) return std::nullopt;
    const auto found = services.desk.tickets_of(caller, numbers);
    if (!found) return found.error();
    for (auto& incident : incidents) {
        const auto links = found->find(incident["number"].get<std::int64_t>());
        if (links == found->end()) continue;
        for (const auto& ticket : links->second) incident["tickets"].push_back(json::ticket_link_to_json(ticket));
    }
    return std::nullopt;
}

}  // namespace catenary::api::handlers
