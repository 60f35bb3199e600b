#include "server/net/rate_quotas.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::server::net {
namespace {

using std::chrono::nanoseconds;

std::string sender_of(engine::TenantId tenant) { return std::to_string(tenant.value()); }

bool is_unlimited(const RateLimits& limits) {
    return limits.tenant_signals == 0 && limits.tenant_bytes == 0 && limits.key_signals == 0 && limits.key_bytes == 0;
}

}  // namespace

nanoseconds RateMeter::wait(const std::string& sender, Moment now) const {
    if (rate_ == 0) return nanoseconds{0};
    const auto debt = paid_at_.find(sender);
    if (debt == paid_at_.end()) return nanoseconds{0};
    return std::max(nanoseconds{0}, debt->second - now - burst_);
}

void RateMeter::charge(const std::string& sender, std::int64_t amount, Moment now) {
    if (rate_ == 0) return;
    if (paid_at_.size() >= sweep_at_) {
        std::erase_if(paid_at_, [now](const auto& one) { return one.second <= now; });
        sweep_at_ = std::max<std::size_t>(1'024, 2 * paid_at_.size());
    }
    auto& paid_at = paid_at_[sender];
    const auto seconds = static_cast<double>(amount) / static_cast<double>(rate_);
    paid_at = std::max(paid_at, now) + std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>{seconds});
}

RateQuotas::RateQuotas(const RateLimits& limits)
    : unlimited_{is_unlimited(limits)},
      signals_{RateMeter{limits.tenant_signals, burst}, RateMeter{limits.key_signals, burst}},
      bytes_{RateMeter{limits.tenant_bytes, burst}, RateMeter{limits.key_bytes, burst}} {}

std::optional<RateQuotas::Exceeded> RateQuotas::admit(const api::Caller& caller, std::int64_t bytes, Moment now) {
    if (unlimited_) return {};
    const std::lock_guard lock{mutex_};
    auto refusal = exceeded(bytes_, caller, "bytes", now);
    if (!refusal) refusal = exceeded(signals_, caller, "signals", now);  // a body that would be refused after it came need not come
    if (!refusal) charge(bytes_, caller, bytes, now);
    return refusal;
}

std::optional<RateQuotas::Exceeded> RateQuotas::spend(const api::Caller& caller, std::int64_t signals, Moment now) {
    if (unlimited_) return {};
    const std::lock_guard lock{mutex_};
    auto refusal = exceeded(signals_, caller, "signals", now);
    if (!refusal) charge(signals_, caller, signals, now);
    return refusal;
}

std::optional<RateQuotas::Exceeded> RateQuotas::exceeded(const Meters& meters, const api::Caller& caller, const char* what, Moment now) {
    const auto tenant = meters.tenant.wait(sender_of(caller.tenant), now);
    const auto key = meters.key.wait(caller.key_id, now);
    const auto wait = std::max(tenant, key);
    if (wait <= nanoseconds{0}) return {};
    refused_.add(caller.tenant);
    const bool is_key = key >= tenant;
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait);
    return Exceeded{fmt::format("the {}'s quota of {} {} a second is used up, with what may be sent ahead; nothing was stored: send it again in {} s",
                                is_key ? "key" : "tenant", (is_key ? meters.key : meters.tenant).rate(), what, seconds.count()),
                    seconds};
}

void RateQuotas::charge(Meters& meters, const api::Caller& caller, std::int64_t amount, Moment now) {
    meters.tenant.charge(sender_of(caller.tenant), amount, now);
    meters.key.charge(caller.key_id, amount, now);
}

}  // namespace catenary::server::net
