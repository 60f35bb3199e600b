#include "server/tickets/webhook.hpp"

#include "api/json/incident_json.hpp"
#include "api/json/time_json.hpp"
#include "server/tickets/hooks.hpp"

#include <fmt/format.h>
#include <sodium.h>
#include <nlohmann/json.hpp>

#include <array>
#include <chrono>

namespace catenary::server::tickets {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_words = 300;
constexpr std::size_t most_entities = 500;

std::int64_t seconds_now() { return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string_view event_of(const TicketOrder& order) {
    const auto& incident = order.story.record;
    if (incident.merged_into) return "incident.merged";
    if (order.delivered == 0) return "incident.created";
    const bool closed = incident.status == engine::IncidentStatus::closed;
    if (closed && order.told_status != "closed") return "incident.closed";
    if (!closed && order.told_status == "closed") return "incident.reopened";
    return "incident.updated";
}

}  // namespace

Webhook::Webhook(const api::tickets::Connector& connector, Wire& wire, Seconds clock)
    : connector_{connector}, wire_{wire}, clock_{clock ? std::move(clock) : Seconds{&seconds_now}} {}

Remote<std::string> Webhook::post(std::string_view action, const std::string& id, const std::string& body) {
    const auto timestamp = clock_();
    OutboundRequest request{"POST", connector_.url, {"Content-Type: application/json"}, body};
    request.headers.push_back("webhook-id: " + id);
    request.headers.push_back(fmt::format("webhook-timestamp: {}", timestamp));
    request.headers.push_back("webhook-signature: " + webhook_signature(wire_.secrets("signing"), id, timestamp, body));
    const auto reply = wire_.send(action, request);
    if (!reply) return fault_of(reply.error());
    if (reply->status >= 200 && reply->status < 300) return fmt::format("answered {}", reply->status);
    const auto words = wire_.shown(reply->body.substr(0, most_words));
    if (reply->status == 410) return RemoteFault{RemoteFault::Kind::disabled, fmt::format("answered 410: it wants nothing more. {}", words)};
    auto fault = fault_of(*reply, words);
    // Any other refusal may end, says the specification: it is tried again until the schedule ends.
    if (fault.kind == RemoteFault::Kind::permanent || fault.kind == RemoteFault::Kind::in_doubt) fault.kind = RemoteFault::Kind::later;
    fault.retry_after = reply->retry_after;
    return fault;
}

Remote<std::string> Webhook::test() {
    const auto id = fmt::format("msg_test_{:08x}{:08x}", randombytes_random(), randombytes_random());
    const auto at = engine::from_micros(clock_() * 1'000'000);
    const nlohmann::ordered_json body{{"type", "catenary.test"}, {"timestamp", api::json::format_time(at)}, {"data", nlohmann::ordered_json::object()}};
    return post("test", id, body.dump());
}

Remote<RemoteTicket> Webhook::deliver(const TicketOrder& order) {
    const auto& incident = order.story.record;
    const auto text = api::tickets::ticket_text(order.connector, order.story);
    auto data = api::json::to_json(incident, most_entities);
    data.erase("tickets");
    data["description"] = incident.summary;
    auto kin = nlohmann::ordered_json::array();
    for (const auto& other : order.story.kin) {
        kin.push_back({{"tie", api::tickets::tie_words[static_cast<std::size_t>(other.tie)]}, {"incident", other.incident.value()}, {"ticket", other.ticket}});
    }
    const nlohmann::ordered_json body{{"type", event_of(order)},
                                      {"timestamp", api::json::format_time(incident.updated)},
                                      {"data",
                                       {{"incident", std::move(data)},
                                        {"title", text.title},
                                        {"body", text.body},
                                        {"labels", order.connector.labels},
                                        {"ticket", order.marker},
                                        {"kin", std::move(kin)},
                                        {"link", api::tickets::link_back(order.connector, incident.number)}}}};
    const auto id = fmt::format("msg_{}_{}", order.marker, incident.revision);
    const auto posted = post(order.delivered == 0 ? "create" : "update", id, body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    if (!posted) return posted.error();
    return RemoteTicket{.id = order.marker, .url = "", .status = "", .resolution = "", .closed = false, .seen = "", .status_is_ours = true, .warning = ""};
}

std::optional<engine::Result<HookNews>> Webhook::parse_hook(const api::tickets::HookMessage& message, std::int64_t now) const {
    return standard_hook(wire_.hook_secrets(), message, now, true);
}

std::optional<std::chrono::milliseconds> Webhook::wait_after(int attempts) const {
    constexpr std::array<std::chrono::milliseconds, 7> schedule{5s, 5min, 30min, 2h, 5h, 10h, 10h};
    if (attempts < 1 || attempts > static_cast<int>(schedule.size())) return std::nullopt;
    return schedule[static_cast<std::size_t>(attempts - 1)];
}

}  // namespace catenary::server::tickets
