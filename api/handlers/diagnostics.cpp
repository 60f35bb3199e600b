#include "api/handlers/control.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/ticket_json.hpp"
#include "api/json/time_json.hpp"

#include <set>
#include <string>

namespace catenary::api::handlers {

using Json = nlohmann::ordered_json;

namespace {

Json time_or_null(const std::optional<engine::Timestamp>& time) { return time ? Json(json::format_time(*time)) : Json(nullptr); }

Json to_json(const ports::DiagnosticsReport& report) {
    Json body{{"lag", {{"signals", report.lag_signals}, {"seconds", report.lag_seconds}}},
              {"watermark", time_or_null(report.watermark)},
              {"held", report.held},
              {"newest_event", time_or_null(report.newest_event)},
              {"lateness_seconds", report.lateness_seconds},
              {"leader", report.leader}};
    std::set<std::string> domains;
    auto& sources = body["sources"] = Json::array();
    for (const auto& source : report.sources) {
        domains.insert(source.domain);
        sources.push_back({{"source", source.source},
                           {"domain", source.domain},
                           {"signals", source.signals},
                           {"last_event", time_or_null(source.last_event)},
                           {"last_received", time_or_null(source.last_received)}});
    }
    body["domains"] = domains;
    body["templates"] = Json::array();
    auto& hubs = body["hubs"] = Json::array();
    for (const auto& entity : report.denied) {
        hubs.push_back({{"kind", entity.key.kind}, {"value", entity.key.value}, {"because", "denied"}, {"changed", json::format_time(entity.changed)}});
    }
    body["rematch"] = {{"signals", report.behind_horizon},    {"oldest", time_or_null(report.oldest_behind_horizon)},
                       {"made", report.rematches.made},       {"read", report.rematches.read},
                       {"waiting", report.rematches.waiting}, {"oldest_waiting", time_or_null(report.rematches.oldest_waiting)}};
    body["retention"] = {{"taken_from", time_or_null(report.taken_from)}, {"kept_from", time_or_null(report.kept_from)}};
    body["counts"] = {{"late", report.late},
                      {"unlinkable", report.unlinkable},
                      {"behind_horizon", report.behind_horizon},
                      {"window_signals", report.window_signals},
                      {"state_bytes", report.state_bytes}};
    auto& caps = body["caps"] = Json::array();
    for (const auto& [name, times] : report.caps) caps.push_back({{"cap", name}, {"times", times}});
    return body;
}

}  // namespace

http::Response diagnostics(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto report = services.diagnostics.report(caller);
    if (!report) return failure_reply(request, report.error());
    constexpr std::size_t most_connectors = 32;  // what a tenant may have
    const auto connectors = services.desk.connectors(caller, {most_connectors, ""});
    if (!connectors) return failure_reply(request, connectors.error());
    auto body = to_json(*report);
    auto& shown = body["connectors"] = Json::array();
    for (const auto& connector : connectors->items) {
        auto status = json::to_json(connector)["status"];
        Json line{{"name", connector.name}};
        for (const auto* member : {"state", "paused_because", "waiting", "failed", "last_success", "last_failure_because"})
            line[member] = std::move(status[member]);
        shown.push_back(std::move(line));
    }
    return json_reply(200, body);
}

}  // namespace catenary::api::handlers
