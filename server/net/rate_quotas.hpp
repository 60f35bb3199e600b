#pragma once

#include "api/ports/caller.hpp"
#include "engine/model/ids.hpp"
#include "server/observe/tenant_counter.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace catenary::server::net {

/// How much one tenant, and one key, may send a second on average; 0: no limit.
struct RateLimits {
    std::int64_t tenant_signals = 0;
    std::int64_t tenant_bytes = 0;  ///< of bodies as sent, packed or not
    std::int64_t key_signals = 0;
    std::int64_t key_bytes = 0;
};

/// One rate for each of many senders. What a sender took beyond its rate is a debt that time pays off; while the debt is at most `burst` of the rate the
/// sender may go on, so a request is never too large to be taken at all, and over any long time nobody gets more than the rate.
/// Not for several threads. Holds who is in debt only.
class RateMeter {
public:
    using Moment = std::chrono::steady_clock::time_point;
    /// `rate`: amounts a second; 0: no limit.
    RateMeter(std::int64_t rate, std::chrono::seconds burst) : rate_{rate}, burst_{burst} {}

    /// How long the sender has to wait; zero when it may send.
    std::chrono::nanoseconds wait(const std::string& sender, Moment now) const;
    /// Adds to the sender's debt.
    void charge(const std::string& sender, std::int64_t amount, Moment now);
    std::int64_t rate() const { return rate_; }
    std::size_t senders() const { return paid_at_.size(); }

private:
    const std::int64_t rate_;
    const std::chrono::nanoseconds burst_;
    std::unordered_map<std::string, Moment> paid_at_;  // when the debt of a sender is paid off
    std::size_t sweep_at_ = 1'024;
};

/// The quotas of all tenants and keys: each process counts what it takes itself. Any thread.
class RateQuotas {
public:
    using Moment = RateMeter::Moment;
    /// How much may be sent at once before the rate holds, in seconds of the rate.
    static constexpr std::chrono::seconds burst{10};

    explicit RateQuotas(const RateLimits& limits);

    struct Exceeded {
        std::string detail;            ///< whose quota, of what, and how much it is
        std::chrono::seconds wait{1};  ///< until it would be taken; at least 1
    };
    /// Before a body of `bytes` is read: charges the bytes. Nothing is charged when something is used up.
    std::optional<Exceeded> admit(const api::Caller& caller, std::int64_t bytes, Moment now);
    /// Before `signals` are handed on: charges them.
    std::optional<Exceeded> spend(const api::Caller& caller, std::int64_t signals, Moment now);

    /// Requests refused since the start.
    const observe::TenantCounter& refused() const { return refused_; }

private:
    struct Meters {
        RateMeter tenant;
        RateMeter key;
    };
    std::optional<Exceeded> exceeded(const Meters& meters, const api::Caller& caller, const char* what, Moment now);
    static void charge(Meters& meters, const api::Caller& caller, std::int64_t amount, Moment now);

    const bool unlimited_;
    mutable std::mutex mutex_;
    Meters signals_;
    Meters bytes_;
    observe::TenantCounter refused_;
};

}  // namespace catenary::server::net
