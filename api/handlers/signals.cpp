#include "api/handlers/signals.hpp"

#include "api/handlers/filters.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/signal_row_json.hpp"

#include <array>

namespace catenary::api::handlers {

http::Response list_signals(const http::Request& request, const Caller& caller, ports::Services& services) {
    constexpr std::array<std::string_view, 2> sorts{"-time", "time"};
    http::QueryReader query{request};
    ports::SignalFilter filter;
    filter.sources = query.many("source");
    filter.names = query.many("name");
    filter.domains = query.many("domain");
    filter.entities = entities_in(query);
    filter.time = range_in(query, "time");
    filter.newest_first = query.word("sort", sorts).value_or(0) == 0;
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto page = services.signals.page(caller, filter, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [](const auto& row) { return json::to_json(row); });
}

}  // namespace catenary::api::handlers
