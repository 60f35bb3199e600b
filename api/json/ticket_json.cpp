#include "api/json/ticket_json.hpp"

#include "api/json/time_json.hpp"
#include "api/tickets/connector_kind.hpp"

#include <nlohmann/json.hpp>

namespace catenary::api::json {

using Json = nlohmann::ordered_json;

namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }
Json time_or_null(const std::optional<engine::Timestamp>& time) { return time ? Json(format_time(*time)) : Json(nullptr); }
std::string_view word_of(tickets::TicketState state) { return tickets::ticket_state_words[static_cast<std::size_t>(state)]; }

}  // namespace

Json to_json(const tickets::ConnectorRow& connector) {
    Json value{{"name", connector.name}};
    const auto document = Json::parse(connector.document_json);
    for (const auto& [name, member] : document.items()) value[name] = member;
    value["secrets"] = connector.secret_names;
    if (const auto* kind = tickets::facts_of(value["kind"].get_ref<const std::string&>()); kind != nullptr) {
        value["deduplication"] = kind->deduplication;
        value["follows_changes"] = kind->follows_changes;
        value["carries_notes"] = kind->carries_notes;
        value["tested_against"] = kind->tested_against;
    }
    value["hook"] = "/api/v1/hooks/" + connector.hook;
    const bool enabled = value.value("enabled", true);
    value["status"] = {{"state", !enabled                    ? "disabled"
                                 : !connector.paused.empty() ? "paused"
                                 : connector.resting_until   ? "resting"
                                                             : "running"},
                       {"paused_because", text_or_null(connector.paused)},
                       {"resting_until", time_or_null(connector.resting_until)},
                       {"failures", connector.failures},
                       {"last_success", time_or_null(connector.succeeded)},
                       {"last_failure", time_or_null(connector.failed)},
                       {"last_failure_because", text_or_null(connector.failure)},
                       {"waiting", connector.waiting},
                       {"failed", connector.failed_tickets}};
    value["revision"] = connector.revision;
    value["changed"] = format_time(connector.changed);
    value["changed_by"] = connector.changed_by;
    return value;
}

Json to_json(const tickets::TicketRow& ticket) {
    return {{"id", std::to_string(ticket.id)},
            {"connector", ticket.connector},
            {"incident", ticket.incident.value()},
            {"state", word_of(ticket.state)},
            {"external_id", text_or_null(ticket.external_id)},
            {"external_url", text_or_null(ticket.external_url)},
            {"external_status", text_or_null(ticket.external_status)},
            {"wanted_revision", ticket.wanted},
            {"delivered_revision", ticket.delivered},
            {"attempts", ticket.attempts},
            {"due", format_time(ticket.due)},
            {"detail", text_or_null(ticket.detail)},
            {"created", format_time(ticket.created)},
            {"changed", format_time(ticket.changed)}};
}

Json ticket_link_to_json(const tickets::TicketRow& ticket) {
    return {{"id", std::to_string(ticket.id)},
            {"connector", ticket.connector},
            {"state", word_of(ticket.state)},
            {"external_id", text_or_null(ticket.external_id)},
            {"external_url", text_or_null(ticket.external_url)},
            {"external_status", text_or_null(ticket.external_status)},
            {"detail", text_or_null(ticket.detail)}};
}

Json to_json(const tickets::DeliveryRow& delivery) {
    return {{"id", std::to_string(delivery.id)},
            {"connector", delivery.connector},
            {"ticket", delivery.ticket ? Json(std::to_string(*delivery.ticket)) : Json(nullptr)},
            {"incident", delivery.incident ? Json(delivery.incident->value()) : Json(nullptr)},
            {"at", format_time(delivery.at)},
            {"attempt", delivery.attempt},
            {"action", delivery.action},
            {"method", delivery.method},
            {"url", delivery.url},
            {"request", delivery.request},
            {"status", delivery.status == 0 ? Json(nullptr) : Json(delivery.status)},
            {"reply", delivery.reply},
            {"failure", text_or_null(delivery.failure)},
            {"took", format_iso_duration(delivery.took)}};
}

}  // namespace catenary::api::json
