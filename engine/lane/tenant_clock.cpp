#include "engine/lane/tenant_clock.hpp"

#include <algorithm>

namespace catenary::engine {

void TenantClock::saw(Timestamp time, Timestamp admitted) {
    newest_ = newest_ ? std::max(*newest_, time) : time;
    const Timestamp reached = std::min(time, admitted);
    reached_ = reached_ ? std::max(*reached_, reached) : reached;
    advance();
}

void TenantClock::tick(Timestamp admitted) {
    ticked_ = admitted;
    if (!reached_) return;
    reached_ = std::max(*reached_, admitted);
    advance();
}

void TenantClock::call(const WatermarkCall& call) {
    held_ = call.hold;
    move_to(call.time);
}

void TenantClock::set_lateness(Duration lateness) {
    lateness_ = std::max(lateness, Duration::zero());
    advance();
}

void TenantClock::set_reach(Duration longest_within) {
    using namespace std::chrono_literals;
    length_ = std::min<Duration>(longest_within + 24h, std::chrono::days{16});
    if (watermark_) move_to(*watermark_);
}

void TenantClock::advance() {
    if (!held_ && reached_) move_to(*reached_ - lateness_);
}

void TenantClock::move_to(Timestamp watermark) {
    watermark_ = watermark_ ? std::max(*watermark_, watermark) : watermark;
    const Timestamp horizon = *watermark_ - length_;
    horizon_ = horizon_ ? std::max(*horizon_, horizon) : horizon;
}

}  // namespace catenary::engine
