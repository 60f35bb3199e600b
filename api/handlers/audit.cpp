#include "api/handlers/audit.hpp"

#include "api/handlers/filters.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/time_json.hpp"

namespace catenary::api::handlers {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const ports::AuditRow& row) {
    auto detail = Json::parse(row.detail_json, nullptr, false);
    if (!detail.is_object()) detail = Json::object();
    return {{"time", json::format_time(row.time)}, {"actor", row.actor}, {"action", row.action}, {"target", row.target}, {"detail", std::move(detail)}};
}

}  // namespace

http::Response list_audit(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    ports::AuditFilter filter;
    filter.actors = query.many("actor");
    filter.actions = query.many("action");
    filter.targets = query.many("target");
    filter.time = range_in(query, "time");
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto page = services.tenants.audit(caller, filter, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [](const ports::AuditRow& row) { return to_json(row); });
}

}  // namespace catenary::api::handlers
