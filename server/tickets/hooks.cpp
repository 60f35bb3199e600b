#include "server/tickets/hooks.hpp"

#include "api/documents/members.hpp"
#include "api/json/limits.hpp"
#include "api/json/time_json.hpp"
#include "api/tickets/target_url.hpp"
#include "server/tickets/json_reading.hpp"
#include "server/tickets/signatures.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <variant>

namespace catenary::server::tickets {

using api::documents::Place;
using Json = nlohmann::json;

namespace {

constexpr std::size_t most_ticket_bytes = 128;
constexpr std::size_t most_status_bytes = 128;
constexpr std::size_t most_delivery_bytes = 256;
// Issues come whole, with whatever fields they have.
constexpr api::json::JsonLimits most_of_jira{
    .bytes = 1024 * 1024, .depth = 64, .values = 200'000, .members = 10'000, .key_bytes = 256, .string_bytes = 512 * 1024};

void read_report(const Place& place, const Json& data, HookNews& news) {
    RemoteTicket report;
    report.id = news.ticket;
    if (const auto* status = api::documents::required(place, data, "status")) {
        report.status = api::documents::read_line(place.member("status"), *status, most_status_bytes).value_or("");
    }
    if (const auto* closed = api::documents::required(place, data, "closed"))
        report.closed = api::documents::read_bool(place.member("closed"), *closed).value_or(false);
    if (const auto* url = api::documents::optional_member(data, "url")) {
        report.url = api::documents::read_line(place.member("url"), *url, api::tickets::most_url_bytes).value_or("");
        if (const auto wrong = report.url.empty() ? std::nullopt : api::tickets::fault_of_url(report.url, false)) {
            place.member("url").fault(engine::FaultCode::malformed, *wrong);
        }
    }
    news.report = std::move(report);
}

HookNews read_standard(const Place& place, const Json& body, bool reports) {
    constexpr std::array<std::string_view, 3> members{"type", "timestamp", "data"};
    constexpr std::array<std::string_view, 4> reported{"ticket", "status", "closed", "url"};
    HookNews news;
    if (!body.is_object()) {
        place.fault(engine::FaultCode::wrong_type, "must be an object");
        return news;
    }
    const auto* type = api::documents::required(place, body, "type");
    if (type == nullptr || *type != "ticket.changed") return news;
    if (api::documents::read_object(place, body, members) == nullptr) return news;
    std::string at;
    if (const auto* timestamp = api::documents::required(place, body, "timestamp")) {
        const auto text = api::documents::read_line(place.member("timestamp"), *timestamp, 64).value_or("");
        const auto time = api::json::parse_time(text);
        if (time) at = api::json::format_time(*time);
        else place.member("timestamp").fault(engine::FaultCode::malformed, "must be a time such as 2026-03-05T10:00:00Z");
    }
    const auto* data = api::documents::required(place, body, "data");
    const auto known = std::span{reported}.first(reports ? reported.size() : 1);
    if (data == nullptr || api::documents::read_object(place.member("data"), *data, known) == nullptr) return news;
    if (const auto* ticket = api::documents::required(place.member("data"), *data, "ticket")) {
        news.ticket = api::documents::read_line(place.member("data").member("ticket"), *ticket, most_ticket_bytes).value_or("");
    }
    if (!reports) return news;
    read_report(place.member("data"), *data, news);
    news.report->seen = at;
    return news;
}

}  // namespace

std::optional<engine::Result<HookNews>> standard_hook(const std::vector<std::string>& secrets, const api::tickets::HookMessage& message, std::int64_t now,
                                                      bool reports) {
    const auto id = message.header("webhook-id");
    if (!is_signed(secrets, {id, message.header("webhook-timestamp"), message.header("webhook-signature")}, message.body, now)) return std::nullopt;
    const auto parsed = api::json::parse_document(message.body);
    if (const auto* faults = std::get_if<engine::Faults>(&parsed)) return engine::Result<HookNews>{faults->front()};
    engine::Faults faults;
    auto news = read_standard(Place{faults}, std::get<Json>(parsed), reports);
    if (!faults.empty()) return engine::Result<HookNews>{faults.front()};
    news.delivery = id;
    return engine::Result<HookNews>{std::move(news)};
}

std::optional<engine::Result<HookNews>> jira_hook(const std::vector<std::string>& secrets, const api::tickets::HookMessage& message) {
    const auto signature = message.header("x-hub-signature");
    if (!is_hub_signed(secrets, signature, message.body)) return std::nullopt;
    const auto parsed = api::json::parse_document(message.body, most_of_jira);
    if (const auto* faults = std::get_if<engine::Faults>(&parsed)) return engine::Result<HookNews>{faults->front()};
    HookNews news;
    news.ticket = text_at(member(std::get<Json>(parsed), "issue"), "id");
    if (news.ticket.size() > most_ticket_bytes) return engine::Result<HookNews>{engine::Fault{engine::FaultCode::too_large, "/issue/id", "is no issue's id"}};
    // The same for each attempt; where a proxy has lost it, the signature says which message it is.
    const auto delivery = message.header("x-atlassian-webhook-identifier");
    news.delivery = delivery.empty() || delivery.size() > most_delivery_bytes ? signature : delivery;
    return engine::Result<HookNews>{std::move(news)};
}

}  // namespace catenary::server::tickets
