#include "server/tickets/connector_worker.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <string>

// What ticket systems sent by themselves leads to: a look at the ticket.

namespace catenary::server::tickets {
namespace {

constexpr int most_attempts = 5;  ///< then the next poll finds what there is

}  // namespace

bool ConnectorWorker::follow_hooks(std::int64_t epoch) {
    const auto waiting = queue_.hooks();
    if (!waiting || waiting->empty()) return false;
    std::optional<std::string> looked_at;  // of hooks in a row about one ticket, the first look is as good as any
    for (const auto& hook : *waiting) {
        const bool is_known = !hook.report && looked_at == hook.ticket;
        const bool followed = is_known || follow_hook(epoch, hook);
        const bool again = !followed && hook.attempts + 1 < most_attempts;
        auto exchanged = wire_->take();
        std::erase_if(exchanged, [](const Exchanged& line) { return line.failure.empty(); });  // as of polls
        if (!queue_.note_hook(epoch, hook.id, again, exchanged)) return false;
        ++(followed ? counts_.hooks_followed : again ? counts_.hooks_retried : counts_.hooks_left);
        if (again) return false;  // in order, and not at once
        if (!followed) spdlog::warn("event=hook_left tenant={} connector={} ticket={}", tenant_.value(), name_, hook.ticket);
        if (!hook.report) looked_at = hook.ticket;
    }
    return true;
}

bool ConnectorWorker::follow_hook(std::int64_t epoch, const pg::WaitingHook& hook) {
    auto remote = hook.report ? Remote<RemoteTicket>{*hook.report} : look(hook.ticket);
    if (!remote) return remote.error().kind == RemoteFault::Kind::gone;  // the next delivery says so
    if (hook.report) {
        // Deliveries may come in any order: what is older than what is known is no news.
        const auto known = queue_.find(hook.ticket);
        if (!known) return false;
        if (*known && remote->seen < (**known).external_seen) return true;
    }
    if (!follow(epoch, *remote)) return false;
    return !served_->connector.comments || take_notes(epoch, hook.ticket);
}

/// Of a ticket that is ours: whoever signs hooks does not choose what else is asked for.
Remote<RemoteTicket> ConnectorWorker::look(const std::string& id) {
    const auto known = queue_.find(id);
    if (!known) return RemoteFault{RemoteFault::Kind::later, known.error().detail};
    if (!*known) return RemoteFault{RemoteFault::Kind::gone, "no ticket of ours"};
    return system_->look(id);
}

}  // namespace catenary::server::tickets
