#include "server/tickets/connector_worker.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace catenary::server::tickets {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

namespace {

constexpr milliseconds idle = 5s;          ///< a round when nothing is known to be due
constexpr milliseconds longest_turn = 5s;  ///< of sending, then it is looked again what people did
constexpr milliseconds soon = 200ms;       ///< when something may be due at once
constexpr int failures_to_open = 5;        ///< in a row, then the breaker opens
constexpr milliseconds first_rest = 15s;   ///< of the breaker, doubling to `most_rest`
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
            stale_ = true;  // whoever lets it run again has changed something
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

}  // namespace catenary::server::tickets
