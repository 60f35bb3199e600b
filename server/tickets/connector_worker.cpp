#include "server/tickets/connector_worker.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace catenary::server::tickets {

using api::tickets::Closing;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

namespace {

constexpr milliseconds idle = 5s;           ///< a round when nothing is known to be due
constexpr milliseconds longest_turn = 5s;   ///< of sending, then it is looked again what people did
constexpr milliseconds look_every = 400ms;  ///< when a poll is due, until it is begun
constexpr milliseconds soon = 200ms;        ///< when something may be due at once
constexpr int failures_to_open = 5;         ///< in a row, then the breaker opens
constexpr milliseconds first_rest = 15s;    ///< of the breaker, doubling to `most_rest`
constexpr milliseconds most_rest = 5min;
constexpr auto trim_every = std::chrono::hours{1};
constexpr std::int64_t absorbed_at_once = 1'000;

/// What a note of a change says, but for how often it changed: where this is the same, there is nothing to say.
std::string state_of(const engine::IncidentRecord& incident) {
    const auto classification = incident.classification ? std::string_view{engine::to_string(*incident.classification)} : std::string_view{};
    const auto heir = incident.merged_into ? incident.merged_into->value() : 0;
    return fmt::format("{} {} {:.3f} {} {} {} {}", engine::to_string(incident.status), engine::to_string(incident.severity), incident.score,
                       incident.signal_count, incident.finding_count, classification, heir);
}

milliseconds rest_after(int failures) {
    if (failures < failures_to_open) return 0ms;
    return std::min<milliseconds>(first_rest * (1LL << std::min(failures - failures_to_open, 10)), most_rest);
}

engine::Classification classification_of(const api::tickets::Connector& connector, const RemoteTicket& remote) {
    for (const auto& word : {remote.resolution, remote.status}) {
        if (const auto found = connector.resolutions.find(word); found != connector.resolutions.end()) return found->second;
    }
    return engine::Classification::undetermined;
}

}  // namespace

ConnectorWorker::ConnectorWorker(const WorkerSetting& setting, engine::TenantId tenant, std::string name, WorkerCounts& counts)
    : setting_{setting},
      tenant_{tenant},
      name_{std::move(name)},
      counts_{counts},
      outbound_{setting.rules, setting.limits},
      queue_{setting.pool, tenant, name_, setting.owner},
      random_{std::random_device{}()} {}

api::Caller ConnectorWorker::caller() const {
    api::Caller caller;
    caller.tenant = tenant_;
    caller.key_id = "connector " + name_;
    return caller;
}

milliseconds ConnectorWorker::with_jitter(milliseconds wait) {
    // Between half of it and all of it: what failed together must not come back together.
    return milliseconds{std::uniform_int_distribution<std::int64_t>{wait.count() / 2, wait.count()}(random_)};
}

bool ConnectorWorker::load(std::int64_t epoch) {
    if (!stale_.exchange(false) && system_) return true;
    system_.reset();
    wire_.reset();
    auto served = queue_.load(setting_.box);
    if (!served) {
        stale_ = true;
        if (served.error().code != pg::StoreErrorCode::invalid) return false;
        if (const auto paused = queue_.pause(epoch, served.error().detail); paused)
            spdlog::warn("event=connector_paused connector={} reason=\"{}\"", name_, served.error().detail);
        return false;
    }
    served_ = *std::move(served);
    wire_ = std::make_unique<Wire>(outbound_, served_->secrets);
    system_ = make_ticket_system(served_->connector, *wire_, setting_.marker_prefix(tenant_));
    return true;
}

milliseconds ConnectorWorker::run_once(const std::function<bool()>& go_on) {
    const auto held = queue_.hold(setting_.lease, setting_.settle);
    if (!held || !*held) return idle;
    const auto& hold = **held;
    const auto absorbed = queue_.absorb();
    if (const auto now = std::chrono::steady_clock::now(); trimmed_ + trim_every < now) {
        if (queue_.trim_log()) trimmed_ = now;
    }
    if (absorbed && *absorbed == absorbed_at_once) return 0ms;
    if (!hold.paused.empty()) return idle;
    if (hold.rest > 0ms) return std::min(hold.rest, idle);
    failures_ = hold.failures;
    if (!load(hold.epoch)) return idle;
    if (hold.poll_due && go_on()) poll(hold);
    if (go_on() && follow_hooks(hold.epoch)) return 0ms;
    // What people do there is not to wait for all that is to be sent.
    const auto now = std::chrono::steady_clock::now();
    const auto turn = next_poll_ > now ? std::min(now + longest_turn, next_poll_) : now + longest_turn;
    while (go_on()) {
        if (!send_next(hold)) return soon * 5;
        if (failures_ >= failures_to_open) return soon;  // the breaker is open: `hold` tells for how long
        if (std::chrono::steady_clock::now() >= turn) return 0ms;
    }
    return soon;
}

Remote<RemoteTicket> ConnectorWorker::deliver(const pg::TicketJob& job, pg::TicketResult& result) {
    // The incident itself, not what it was merged into: its ticket says that.
    const auto record = setting_.incidents.find(caller(), job.incident);
    if (!record) return RemoteFault{RemoteFault::Kind::later, "the incident cannot be read: " + record.error().detail};
    api::tickets::TicketStory story{*record, {}, {}, false};
    auto evidence = setting_.incidents.evidence(caller(), job.incident, {api::tickets::most_timeline_lines, ""});
    if (!evidence) return RemoteFault{RemoteFault::Kind::later, "the incident's evidence cannot be read: " + evidence.error().detail};
    story.findings = std::move(evidence->findings);
    story.evidence = std::move(evidence->page.items);
    story.more_evidence = evidence->page.next.has_value();
    auto kin = queue_.kin(job.incident);
    if (!kin) return RemoteFault{RemoteFault::Kind::later, "what the incident was merged or split with cannot be read: " + kin.error().detail};
    story.kin = *std::move(kin);
    result.delivered = story.record.revision;
    result.told_status = engine::to_string(story.record.status);
    result.told = state_of(story.record);
    result.told_comment = job.told_comment;
    const TicketOrder order{.connector = served_->connector,
                            .story = story,
                            .marker = fmt::format("{}{}", setting_.marker_prefix(tenant_), job.incident.value()),
                            .external_id = job.external_id,
                            .told_status = job.told_status,
                            .delivered = job.delivered,
                            .is_news = job.told != result.told};
    auto ticket = system_->deliver(order);
    if (!ticket || ticket->id.empty()) return ticket;
    const auto not_taken = complete(order, ticket->id, job, result);
    if (!not_taken) return not_taken.error();
    if (ticket->warning.empty()) ticket->warning = *not_taken;
    return ticket;
}

void ConnectorWorker::judge(const RemoteFault& fault, const pg::TicketJob& job, pg::TicketResult& result) {
    using Kind = RemoteFault::Kind;
    result.detail = wire_->shown(fault.words);
    switch (fault.kind) {
        case Kind::permanent:
            result.state = "failed";
            ++counts_.failed;
            return;
        case Kind::gone:
            result.state = "gone";
            ++counts_.failed;
            return;
        case Kind::unauthorised:
        case Kind::disabled:
            result.state = "pending";
            result.pause = result.detail;
            spdlog::warn("event=connector_paused tenant={} connector={} reason=\"{}\"", tenant_.value(), name_, result.detail);
            return;
        case Kind::later:
        case Kind::in_doubt: break;
    }
    const bool doubtful = fault.kind == Kind::in_doubt;
    ++(doubtful ? counts_.doubtful : counts_.retried);
    ++failures_;
    result.rest = rest_after(failures_);
    const auto wait = system_->wait_after(job.attempts);
    if (!wait) {
        result.state = "failed";
        result.detail += fmt::format(" (after {} attempts)", job.attempts);
        ++counts_.failed;
        return;
    }
    result.state = doubtful ? "in_doubt" : "pending";
    result.wait = fault.retry_after ? std::max<milliseconds>(*fault.retry_after, 1s) : with_jitter(*wait);
}

bool ConnectorWorker::send_next(const pg::ConnectorHold& held) {
    const auto next = queue_.next(held.epoch);
    if (!next || !*next) return false;
    const auto& job = **next;
    pg::TicketResult result;
    const auto ticket = deliver(job, result);
    if (ticket) {
        result.state = "done";
        result.succeeded = true;
        result.detail = wire_->shown(ticket->warning);
        result.external_id = ticket->id;
        result.external_url = ticket->url;
        // A status that somebody else has set meanwhile is a change yet to be followed: the next poll must not take it for known.
        const bool known = ticket->status_is_ours || job.external_id.empty() || ticket->status == job.external_status;
        const bool is_told = !ticket->status.empty();  // else what was reported of it stays
        result.external_status = known && is_told ? ticket->status : job.external_status;
        result.external_seen = !is_told ? job.external_seen : known ? ticket->seen : "";
        failures_ = 0;
        ++counts_.delivered;
    } else {
        judge(ticket.error(), job, result);
    }
    const auto finished = queue_.finish(held.epoch, job, result, wire_->take());
    // Somebody else serves it by now, or the database is away: what was sent is looked for by whoever comes next.
    return finished.has_value() && !result.pause;
}

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
