#include "api/handlers/chains.hpp"

#include "api/handlers/filters.hpp"
#include "api/handlers/pattern_in_path.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/chain_json.hpp"
#include "api/json/time_json.hpp"

#include <array>

namespace catenary::api::handlers {

using Json = nlohmann::ordered_json;

http::Response list_partials(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    engine::PartialWanted wanted;
    wanted.patterns = query.many("pattern");
    auto entities = entities_in(query);
    if (entities.size() > 1) query.fault("entity", engine::FaultCode::conflict, "chains of one entity are asked for at a time");
    if (!entities.empty()) wanted.entity = std::move(entities.front());
    wanted.most = query.limit();
    if (auto refusal = query.refusal()) return *refusal;
    const auto found = services.chains.partials(caller, wanted);
    if (!found) return failure_reply(request, found.error());
    Json items = Json::array();
    for (const auto& chain : found->chains) items.push_back(json::to_json(chain));
    return json_reply(200, {{"items", std::move(items)},
                            {"next_cursor", nullptr},
                            {"found", found->found},
                            {"complete", found->is_complete},
                            {"watermark", found->watermark ? Json(json::format_time(*found->watermark)) : Json(nullptr)}});
}

http::Response list_near_misses(const http::Request& request, const Caller& caller, ports::Services& services) {
    constexpr std::array<std::string_view, 2> modes{"production", "flighting"};
    http::QueryReader query{request};
    ports::NearMissFilter filter;
    filter.patterns = query.many("pattern");
    filter.missing = query.many("missing");
    filter.entities = entities_in(query);
    filter.until = range_in(query, "time");
    filter.flighting = query.word("mode", modes).value_or(0) == 1;
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto page = services.chains.near_misses(caller, filter, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [](const auto& row) { return json::to_json(row); });
}

http::Response pattern_health(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto version = find_pattern(pattern_id(request), caller, services);
    if (!version) return failure_reply(request, version.error());
    const auto health = services.chains.health(caller);
    if (!health) return failure_reply(request, health.error());
    std::uint64_t all_work = 0;
    for (const auto& one : health->patterns) all_work += one.work;
    Json running = Json::array();
    for (const auto& one : health->patterns) {
        if (one.pattern == version->id) running.push_back(json::to_json(one, health->newest, all_work));
    }
    return json_reply(200, {{"pattern", version->id},
                            {"version", version->version},
                            {"mode", engine::to_string(version->mode)},
                            {"running", std::move(running)},
                            {"tenant_bytes", health->bytes}});
}

}  // namespace catenary::api::handlers
