#include "server/tickets/ticket_system.hpp"

#include "api/tickets/connector_document.hpp"
#include "server/tickets/base64.hpp"
#include "server/tickets/jira.hpp"
#include "server/tickets/redmine.hpp"
#include "server/tickets/request_tracker.hpp"
#include "server/tickets/servicenow.hpp"
#include "server/tickets/webhook.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace catenary::server::tickets {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_shown = 16U << 10U;

/// What the database can hold: UTF-8 without NUL.
std::string as_text(std::string_view bytes) {
    std::string text;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto lead = static_cast<unsigned char>(bytes[at]);
        const std::size_t length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
        bool sound = lead != 0 && length != 0 && at + length <= bytes.size();
        for (std::size_t i = 1; sound && i < length; ++i) sound = (static_cast<unsigned char>(bytes[at + i]) & 0xc0U) == 0x80U;
        // Overlong forms, surrogates and what lies beyond the last character.
        if (sound && length > 2) {
            const auto second = static_cast<unsigned char>(bytes[at + 1]);
            sound =
                !(lead == 0xe0 && second < 0xa0) && !(lead == 0xed && second > 0x9f) && !(lead == 0xf0 && second < 0x90) && !(lead == 0xf4 && second > 0x8f);
        }
        if (sound) text.append(bytes.substr(at, length));
        else text += '?';
        at += sound ? length : 1;
    }
    return text;
}

}  // namespace

std::string Wire::shown(std::string_view text) const {
    std::string plain{text.substr(0, most_shown * 2)};
    for (const auto& [name, values] : secrets_) {
        for (const auto& value : values) {
            if (value.empty()) continue;
            for (auto at = plain.find(value); at != std::string::npos; at = plain.find(value, at)) plain.replace(at, value.size(), "[secret]");
        }
    }
    if (plain.size() > most_shown) {
        plain.resize(most_shown);
        plain += "...";
    }
    return as_text(plain);
}

OutboundResult Wire::send(std::string_view action, const OutboundRequest& request) {
    const auto begin = std::chrono::steady_clock::now();
    auto result = outbound_.send(request);
    Exchanged line{std::string{action}, request.method, shown(request.url), shown(request.body), 0, "", "", {}};
    line.took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
    if (result) {
        line.status = result->status;
        line.reply = shown(result->body);
        if (result->status < 200 || result->status > 299) line.failure = fmt::format("answered {}", result->status);
    } else {
        line.failure = result.error().detail;
    }
    exchanged_.push_back(std::move(line));
    return result;
}

void Wire::blame(std::string_view why) {
    if (!exchanged_.empty()) exchanged_.back().failure = shown(why);
}

std::vector<Exchanged> Wire::take() { return std::exchange(exchanged_, {}); }

const std::vector<std::string>& Wire::secrets(const std::string& name) const {
    static const std::vector<std::string> none;
    const auto found = secrets_.find(name);
    return found == secrets_.end() ? none : found->second;
}

const std::vector<std::string>& Wire::hook_secrets() const { return secrets(std::string{api::tickets::hook_secret}); }

std::string Wire::secret(const std::string& name) const {
    const auto& values = secrets(name);
    return values.empty() ? "" : values.front();
}

Remote<bool> TicketSystem::set_by_us(const RemoteTicket&) { return false; }

std::string Wire::basic_authorization(const std::string& account, const std::string& secret_name) {
    const auto encoded = base64(account + ":" + secret(secret_name));
    secrets_["authorization"] = {encoded};
    return "Authorization: Basic " + encoded;
}

/// Doubling from 2 s to 10 min, for ever: an outage of the ticket system ends some day, and the incident's ticket is wanted then.
std::optional<std::chrono::milliseconds> TicketSystem::wait_after(int attempts) const {
    constexpr std::chrono::milliseconds first = 2s;
    constexpr std::chrono::milliseconds most = 10min;
    return std::min<std::chrono::milliseconds>(first * (1LL << std::clamp(attempts - 1, 0, 20)), most);
}

bool is_refusal(const RemoteFault& fault) {
    return fault.kind == RemoteFault::Kind::permanent || fault.kind == RemoteFault::Kind::unauthorised || fault.kind == RemoteFault::Kind::gone;
}

Remote<std::string> TicketSystem::relate(const std::string&, const std::string&, const std::vector<Related>&) { return std::string{}; }
Remote<std::string> TicketSystem::write_notes(const std::string&, const std::string&, const std::vector<OwnNote>&) { return std::string{}; }

Remote<std::vector<RemoteNote>> TicketSystem::notes_since(const std::string&, const std::string&) { return std::vector<RemoteNote>{}; }

std::optional<engine::Result<HookNews>> TicketSystem::parse_hook(const api::tickets::HookMessage&, std::int64_t) const { return std::nullopt; }
Remote<RemoteTicket> TicketSystem::look(const std::string&) { return RemoteFault{RemoteFault::Kind::permanent, "this kind of ticket system cannot be asked"}; }

RemoteTicket unneeded_ticket(const TicketOrder& order) {
    RemoteTicket none;
    none.status_is_ours = true;
    none.warning = fmt::format("incident {} was merged into incident {} before it had a ticket: that one's ticket tells of it",
                               order.story.record.number.value(), order.story.record.merged_into->value());
    return none;
}

RemoteFault fault_of(const OutboundError& error) {
    switch (error.kind) {
        case OutboundError::Kind::refused: return {RemoteFault::Kind::unauthorised, error.detail};
        case OutboundError::Kind::not_sent: return {RemoteFault::Kind::later, error.detail};
        case OutboundError::Kind::lost:
        case OutboundError::Kind::too_large: return {RemoteFault::Kind::in_doubt, error.detail};
    }
    return {RemoteFault::Kind::in_doubt, error.detail};
}

RemoteFault fault_of(const OutboundReply& reply, std::string words) {
    using Kind = RemoteFault::Kind;
    auto said = words.empty() ? fmt::format("answered {}", reply.status) : fmt::format("answered {}: {}", reply.status, words);
    if (reply.status == 401 || reply.status == 403 || reply.status == 407) return {Kind::unauthorised, std::move(said)};
    if (reply.status == 408 || reply.status == 425 || reply.status == 429) return {Kind::later, std::move(said), reply.retry_after};
    // Whoever answers 5xx may have got half-way.
    if (reply.status >= 500) return {Kind::in_doubt, std::move(said), reply.retry_after};
    if (reply.status >= 300 && reply.status < 400) said += " (connectors follow no redirects)";
    return {Kind::permanent, std::move(said)};
}

std::unique_ptr<TicketSystem> make_ticket_system(const api::tickets::Connector& connector, Wire& wire, std::string marker_prefix) {
    using api::tickets::ConnectorKind;
    switch (connector.kind) {
        case ConnectorKind::webhook: return std::make_unique<Webhook>(connector, wire);
        case ConnectorKind::redmine: return std::make_unique<Redmine>(connector, wire, std::move(marker_prefix));
        case ConnectorKind::jira: return std::make_unique<Jira>(connector, wire, std::move(marker_prefix));
        case ConnectorKind::servicenow: return std::make_unique<ServiceNow>(connector, wire, std::move(marker_prefix));
        case ConnectorKind::request_tracker: return std::make_unique<RequestTracker>(connector, wire, std::move(marker_prefix));
    }
    return nullptr;
}

}  // namespace catenary::server::tickets
