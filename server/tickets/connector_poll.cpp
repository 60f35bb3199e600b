#include "server/tickets/connector_worker.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

// What people do in the ticket system: looked for again and again, and followed.

namespace catenary::server::tickets {

using api::tickets::Closing;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

namespace {

constexpr milliseconds look_every = 400ms;  ///< when a poll is due, until it is begun

engine::Classification classification_of(const api::tickets::Connector& connector, const RemoteTicket& remote) {
    for (const auto& word : {remote.resolution, remote.status}) {
        if (const auto found = connector.resolutions.find(word); found != connector.resolutions.end()) return found->second;
    }
    return engine::Classification::undetermined;
}

}  // namespace

milliseconds ConnectorWorker::rest_between_polls(milliseconds every, milliseconds took) {
    poll_takes_ = std::max(took, poll_takes_ * 7 / 8);
    return std::max(every / 2, every - took - poll_takes_ - look_every);
}

void ConnectorWorker::poll(const pg::ConnectorHold& held) {
    const auto begin = std::chrono::steady_clock::now();
    const bool follows = api::tickets::facts_of(served_->connector.kind).follows_changes;
    const auto every = follows ? std::chrono::duration_cast<milliseconds>(served_->connector.poll) : milliseconds{24h};
    const auto changed = system_->changes_since(held.polled);
    auto exchanged = wire_->take();
    std::erase_if(exchanged, [](const Exchanged& line) { return line.failure.empty(); });  // a look a minute that found nothing tells nobody anything
    ++counts_.polls;
    if (!changed) {
        const auto why = wire_->shown(changed.error().words);
        if (changed.error().kind == RemoteFault::Kind::unauthorised) {
            stale_ = true;
            if (!queue_.pause(held.epoch, why)) return;
        }
        const auto wait = std::max<milliseconds>(every, changed.error().retry_after.value_or(0s));
        if (const auto noted = queue_.note_poll(held.epoch, held.polled, wait, why, exchanged); !noted)
            spdlog::warn("event=poll_not_noted connector={}", name_);
        return;
    }
    auto polled = held.polled;
    std::string failure;
    for (const auto& remote : *changed) {
        if (!follow(held.epoch, remote)) {
            failure = fmt::format("the change of ticket {} could not be followed yet", remote.id);
            break;
        }
        if (served_->connector.comments && !take_notes(held.epoch, remote.id)) {
            failure = fmt::format("the notes of ticket {} could not be read yet", remote.id);
            break;
        }
        polled = std::max(polled, remote.seen);
    }
    for (auto& line : wire_->take()) {
        if (!line.failure.empty()) exchanged.push_back(std::move(line));
    }
    // It answers again: one reply that is lost from now on must not shut it off for as long as an outage that is over.
    if (follows && failure.empty()) failures_ = 0;
    const auto rest = rest_between_polls(every, std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin));
    if (const auto noted = queue_.note_poll(held.epoch, polled, rest, failure, exchanged); !noted) spdlog::warn("event=poll_not_noted connector={}", name_);
    next_poll_ = std::chrono::steady_clock::now() + rest;
}

bool ConnectorWorker::follow(std::int64_t epoch, const RemoteTicket& remote) {
    const auto known = queue_.find(remote.id);
    if (!known) return false;
    if (!*known) return true;  // nobody's
    auto ticket = **known;
    // Our own change. Times are whole seconds: somebody may have changed the status in the same one.
    if (ticket.external_seen == remote.seen && ticket.external_status == remote.status) return true;
    if (remote.status != ticket.external_status) {
        const auto ours = system_->set_by_us(remote);
        if (!ours && ours.error().kind == RemoteFault::Kind::later) return false;
        // A history that cannot be had leaves only the state itself, which differs from what we know.
        if (ours ? !*ours : ours.error().kind != RemoteFault::Kind::gone) {
            ++counts_.remote_changes;
            if (!follow_status(ticket, remote)) return false;
        }
    }
    ticket.external_status = remote.status;
    ticket.external_seen = remote.seen;
    if (!remote.url.empty()) ticket.external_url = remote.url;
    return queue_.note_remote(epoch, ticket).has_value();
}

bool ConnectorWorker::follow_status(pg::KnownTicket& ticket, const RemoteTicket& remote) {
    const auto& connector = served_->connector;
    if (connector.closing == Closing::ignore) return true;
    const auto incident = setting_.incidents.find(caller(), ticket.incident);
    if (!incident) return incident.error().code == api::ports::FailureCode::not_found;
    if (incident->merged_into) return true;
    const bool closed = incident->status == engine::IncidentStatus::closed;
    const bool closes = remote.closed && !closed;
    const bool reopens = !remote.closed && closed && ticket.told_status == "closed";
    if (!closes && !reopens) return true;
    const auto classification = classification_of(connector, remote);
    const auto who = caller();
    if (connector.closing == Closing::propose) {
        auto text = closes
                        ? fmt::format("Ticket {} of {} was closed (state {}): it suggests to close this incident as {}.", remote.id, name_, remote.status,
                                      engine::to_string(classification))
                        : fmt::format("Ticket {} of {} was opened again (state {}): it suggests to open this incident again.", remote.id, name_, remote.status);
        const auto said = setting_.control.comment(who, {ticket.incident, std::move(text), who.key_id});
        return said.has_value() || said.error().code == api::ports::FailureCode::recorded;
    }
    engine::IncidentEdit edit;
    edit.number = ticket.incident;
    edit.actor = who.key_id;
    edit.status = closes ? engine::IncidentStatus::closed : engine::IncidentStatus::active;
    if (closes) {
        edit.classification = classification;
        edit.reason = fmt::format("ticket {} of {} was closed (state {})", remote.id, name_, remote.status);
    }
    const auto edited = setting_.control.edit(who, edit, std::nullopt);
    if (!edited && edited.error().code != api::ports::FailureCode::recorded) return false;
    ticket.told_status = engine::to_string(*edit.status);
    return true;
}

}  // namespace catenary::server::tickets
