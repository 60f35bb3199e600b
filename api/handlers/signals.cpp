#include "api/handlers/signals.hpp"

#include "api/handlers/filters.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/signal_row_json.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace catenary::api::handlers {
namespace {

constexpr std::size_t source_segment = 3;  // /api/v1/signals/{source}/{id}
constexpr std::size_t id_segment = 4;
constexpr std::array<std::string_view, 4> severities{"informational", "low", "medium", "high"};

}  // namespace

http::Response list_signals(const http::Request& request, const Caller& caller, ports::Services& services) {
    constexpr std::array<std::string_view, 2> sorts{"-time", "time"};
    http::QueryReader query{request};
    ports::SignalFilter filter;
    filter.sources = query.many("source");
    filter.names = query.many("name");
    filter.domains = query.many("domain");
    filter.tactics = query.many("tactic");
    filter.techniques = query.many("technique");
    for (const auto i : query.words("severity", severities)) filter.severities.push_back(*engine::severity_from(severities[i]));
    filter.entities = entities_in(query);
    filter.time = range_in(query, "time");
    filter.newest_first = query.word("sort", sorts).value_or(0) == 0;
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto page = services.signals.page(caller, filter, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [](const auto& row) { return json::to_json(row); });
}

http::Response get_signal(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    const auto time = query.time("time");
    if (auto refusal = query.refusal()) return *refusal;
    const auto found = services.signals.find(caller, request.segments.at(source_segment), request.segments.at(id_segment), time);
    if (!found) return failure_reply(request, found.error());
    auto body = json::to_json(found->row);
    if (caller.may(Scope::incidents_read)) {
        auto& uses = body["evidence_of"] = nlohmann::ordered_json::array();
        for (const auto& use : found->uses) uses.push_back(json::to_json(use));
    }
    return json_reply(200, body);
}

}  // namespace catenary::api::handlers
