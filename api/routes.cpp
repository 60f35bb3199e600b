#include "api/routes.hpp"

#include "api/handlers/audit.hpp"
#include "api/handlers/chains.hpp"
#include "api/handlers/connectors.hpp"
#include "api/handlers/control.hpp"
#include "api/handlers/entities.hpp"
#include "api/handlers/findings.hpp"
#include "api/handlers/health.hpp"
#include "api/handlers/incidents.hpp"
#include "api/handlers/jobs.hpp"
#include "api/handlers/keys.hpp"
#include "api/handlers/patterns.hpp"
#include "api/handlers/settings.hpp"
#include "api/handlers/signals.hpp"
#include "api/handlers/tenants.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace catenary::api {
namespace {

using http::Method;

constexpr Handler in_session = nullptr;  // of signals the session waits for the commit itself; metrics are the process's own

constexpr Route table[] = {
    {Method::get, "/healthz", Scope::none, handlers::healthz},
    {Method::get, "/readyz", Scope::none, handlers::readyz},
    {Method::get, "/version", Scope::none, handlers::version},
    {Method::get, "/metrics", Scope::none, in_session},
    {Method::get, "/openapi.json", Scope::none, handlers::openapi},
    {Method::get, "/api/v1/signals", Scope::signals_read, handlers::list_signals},
    {Method::post, "/api/v1/signals", Scope::signals_write, in_session},
    {Method::get, "/api/v1/signals/{source}/{id}", Scope::signals_read, handlers::get_signal},
    {Method::get, "/api/v1/entities", Scope::signals_read, handlers::list_entities},
    {Method::get, "/api/v1/entities/{kind}/{value}", Scope::signals_read, handlers::get_entity},
    {Method::put, "/api/v1/entities/{kind}/{value}", Scope::catalogue_write, handlers::change_entity},
    {Method::get, "/api/v1/entities/{kind}/{value}/timeline", Scope::signals_read, handlers::entity_timeline},
    {Method::get, "/api/v1/entities/{kind}/{value}/neighbours", Scope::signals_read, handlers::entity_neighbours},
    {Method::get, "/api/v1/entities/{kind}/{value}/graph", Scope::signals_read, handlers::entity_graph},
    {Method::post, "/api/v1/ingest/ocsf", Scope::signals_write, in_session},
    {Method::post, "/api/v1/ingest/cloudevents", Scope::signals_write, in_session},
    {Method::post, "/api/v1/ingest/ecs", Scope::signals_write, in_session},
    {Method::post, "/api/v1/watermark", Scope::catalogue_write, handlers::set_watermark},
    {Method::get, "/api/v1/incidents", Scope::incidents_read, handlers::list_incidents},
    {Method::get, "/api/v1/incidents/{number}", Scope::incidents_read, handlers::get_incident},
    {Method::patch, "/api/v1/incidents/{number}", Scope::incidents_write, handlers::edit_incident},
    {Method::get, "/api/v1/incidents/{number}/timeline", Scope::incidents_read, handlers::incident_timeline},
    {Method::get, "/api/v1/incidents/{number}/evidence", Scope::incidents_read, handlers::incident_evidence},
    {Method::get, "/api/v1/incidents/{number}/explanation", Scope::incidents_read, handlers::incident_explanation},
    {Method::get, "/api/v1/incidents/{number}/activity", Scope::incidents_read, handlers::incident_activity},
    {Method::get, "/api/v1/incidents/{number}/graph", Scope::incidents_read, handlers::incident_graph},
    {Method::get, "/api/v1/incidents/{number}/similar", Scope::incidents_read, handlers::similar_incidents},
    {Method::post, "/api/v1/incidents/{number}/comments", Scope::incidents_write, handlers::comment_incident},
    {Method::post, "/api/v1/incidents/{number}/merge", Scope::incidents_write, handlers::merge_incident},
    {Method::post, "/api/v1/incidents/{number}/split", Scope::incidents_write, handlers::split_incident},
    {Method::post, "/api/v1/incidents/{number}/tickets", Scope::tickets_write, handlers::open_ticket},
    {Method::get, "/api/v1/findings", Scope::incidents_read, handlers::list_findings},
    {Method::get, "/api/v1/findings/{id}", Scope::incidents_read, handlers::get_finding},
    {Method::get, "/api/v1/patterns", Scope::incidents_read, handlers::list_patterns},
    {Method::post, "/api/v1/patterns", Scope::catalogue_write, handlers::add_pattern},
    {Method::get, "/api/v1/patterns/{id}", Scope::incidents_read, handlers::get_pattern},
    {Method::put, "/api/v1/patterns/{id}", Scope::catalogue_write, handlers::replace_pattern},
    {Method::delete_, "/api/v1/patterns/{id}", Scope::catalogue_write, handlers::remove_pattern},
    {Method::put, "/api/v1/patterns/{id}/deployment", Scope::catalogue_write, handlers::deploy_pattern},
    {Method::post, "/api/v1/patterns/{id}/backtest", Scope::catalogue_write, handlers::backtest_pattern},
    {Method::get, "/api/v1/patterns/{id}/versions", Scope::incidents_read, handlers::list_pattern_versions},
    {Method::get, "/api/v1/patterns/{id}/versions/{version}", Scope::incidents_read, handlers::get_pattern_version},
    {Method::get, "/api/v1/patterns/{id}/health", Scope::incidents_read, handlers::pattern_health},
    {Method::post, "/api/v1/patterns/{id}/why-not", Scope::incidents_read, handlers::why_not},
    {Method::get, "/api/v1/partials", Scope::incidents_read, handlers::list_partials},
    {Method::get, "/api/v1/near-misses", Scope::incidents_read, handlers::list_near_misses},
    {Method::post, "/api/v1/patterns:validate", Scope::incidents_read, handlers::validate_pattern},
    {Method::post, "/api/v1/patterns/import", Scope::catalogue_write, handlers::import_patterns},
    {Method::get, "/api/v1/patterns/export", Scope::incidents_read, handlers::export_patterns},
    {Method::get, "/api/v1/connectors", Scope::incidents_read, handlers::list_connectors},
    {Method::get, "/api/v1/connectors/{name}", Scope::incidents_read, handlers::get_connector},
    {Method::put, "/api/v1/connectors/{name}", Scope::admin, handlers::put_connector},
    {Method::delete_, "/api/v1/connectors/{name}", Scope::admin, handlers::remove_connector},
    {Method::post, "/api/v1/connectors/{name}/preview", Scope::incidents_read, handlers::preview_connector},
    {Method::post, "/api/v1/connectors/{name}/test", Scope::admin, handlers::test_connector},
    {Method::get, "/api/v1/tickets", Scope::incidents_read, handlers::list_tickets},
    {Method::post, "/api/v1/tickets/{id}/sync", Scope::tickets_write, handlers::sync_ticket},
    {Method::get, "/api/v1/deliveries", Scope::tickets_write, handlers::list_deliveries},
    {Method::post, "/api/v1/deliveries/{id}/retry", Scope::tickets_write, handlers::retry_delivery},
    {Method::post, hooks_path, Scope::none, handlers::receive_hook},
    {Method::get, "/api/v1/jobs", Scope::incidents_read, handlers::list_jobs},
    {Method::get, "/api/v1/jobs/{id}", Scope::incidents_read, handlers::get_job},
    {Method::delete_, "/api/v1/jobs/{id}", Scope::catalogue_write, handlers::cancel_job},
    {Method::get, "/api/v1/settings", Scope::incidents_read, handlers::get_settings},
    {Method::put, "/api/v1/settings", Scope::catalogue_write, handlers::change_settings},
    {Method::get, "/api/v1/diagnostics", Scope::signals_read, handlers::diagnostics},
    {Method::get, "/api/v1/tenants", Scope::admin, handlers::list_tenants},
    {Method::post, "/api/v1/tenants", Scope::admin, handlers::add_tenant},
    {Method::get, "/api/v1/keys", Scope::admin, handlers::list_keys},
    {Method::post, "/api/v1/keys", Scope::admin, handlers::add_key},
    {Method::delete_, "/api/v1/keys/{id}", Scope::admin, handlers::remove_key},
    {Method::post, "/api/v1/keys/{id}/rotate", Scope::admin, handlers::rotate_key},
    {Method::get, "/api/v1/audit", Scope::admin, handlers::list_audit},
};

/// Whether decoded segments are this path's; a {name} takes any one segment but the empty one.
bool matches(std::string_view path, const std::vector<std::string>& segments) {
    for (const auto& segment : segments) {
        if (!path.starts_with('/')) return false;
        path.remove_prefix(1);
        const auto part = path.substr(0, path.find('/'));
        path.remove_prefix(part.size());
        if (part.starts_with('{') ? segment.empty() : part != segment) return false;
    }
    return path.empty();
}

void allow(std::vector<Method>& allowed, Method method) {
    if (std::ranges::find(allowed, method) == allowed.end()) allowed.push_back(method);
}

}  // namespace

std::span<const Route> routes() { return table; }

RouteMatch find_route(Method method, const std::vector<std::string>& segments) {
    RouteMatch match;
    const auto wanted = method == Method::head ? Method::get : method;  // HEAD is GET without its body
    std::string_view path;
    for (const auto& route : table) {
        if (!matches(route.path, segments)) continue;
        // Of two paths the later one, which has a plain word where the other takes any.
        if (route.path != std::exchange(path, route.path)) match = {};
        if (route.method == wanted) match.route = &route;
        allow(match.allowed, route.method);
        if (route.method == Method::get) allow(match.allowed, Method::head);
    }
    return match;
}

}  // namespace catenary::api
