#include "api/handlers/incidents.hpp"

#include "api/handlers/connectors.hpp"
#include "api/handlers/filters.hpp"
#include "api/handlers/incident_filter.hpp"
#include "api/handlers/reply.hpp"
#include "api/http/etag.hpp"
#include "api/json/incident_json.hpp"

namespace catenary::api::handlers {
namespace {

constexpr std::size_t number_segment = 3;  // /api/v1/incidents/{number}
constexpr std::size_t entities_in_list = 20;
constexpr std::size_t most_in_list = 500;  // include=entities
constexpr std::size_t most_comments = 100;

http::Response detail_reply(const ports::IncidentDetail& detail, int status) {
    auto response = json_reply(status, json::incident_detail_to_json(detail));
    response.headers.emplace_back("ETag", http::etag_of(detail.record.revision));
    return response;
}

}  // namespace

ports::Outcome<engine::IncidentNumber> number_in_path(const http::Request& request) {
    const auto number = positive_number(request.segments.at(number_segment));
    if (!number) return ports::Failure{ports::FailureCode::not_found, "an incident is named by its number"};
    return engine::IncidentNumber{*number};
}

ports::Outcome<engine::IncidentRecord> incident_in_path(const http::Request& request, const Caller& caller, ports::Services& services) {
    const auto number = number_in_path(request);
    if (!number) return number.error();
    return services.incidents.find(caller, *number);
}

ports::Outcome<engine::IncidentRecord> story_in_path(const http::Request& request, const Caller& caller, ports::Services& services) {
    const auto number = number_in_path(request);
    if (!number) return number.error();
    return services.incidents.story(caller, *number);
}

http::Response list_incidents(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    const auto listing = incident_listing(query);
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto page = services.incidents.page(caller, listing.filter, wanted);
    if (!page) return failure_reply(request, page.error());
    const auto shown = listing.all_entities ? most_in_list : entities_in_list;
    auto items = nlohmann::ordered_json::array();
    std::vector<engine::IncidentNumber> numbers;
    for (const auto& incident : page->items) {
        items.push_back(json::to_json(incident, shown));
        numbers.push_back(incident.number);
    }
    if (const auto failure = add_tickets(numbers, items, caller, services)) return failure_reply(request, *failure);
    return json_reply(200, page_body(std::move(items), page->next, request, caller, services));
}

http::Response get_incident(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto number = number_in_path(request);
    if (!number) return failure_reply(request, number.error());
    const auto detail = services.incidents.detail(caller, *number, most_comments);
    if (!detail) return failure_reply(request, detail.error());
    if (http::client_has(request.if_none_match, detail->record.revision)) return revised_reply(request, detail->record.revision, {});
    return detail_reply(*detail, 200);
}

http::Response incident_reply(const http::Request& request, const Caller& caller, ports::Services& services, const engine::IncidentRecord& incident,
                              int status) {
    auto detail = services.incidents.detail(caller, incident.number, most_comments);
    if (!detail) return failure_reply(request, detail.error());
    detail->record = incident;  // as the change left it: another one may have followed
    return detail_reply(*detail, status);
}

}  // namespace catenary::api::handlers
