#pragma once

#include "engine/model/ids.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace catenary::server::net {

/// A counter with a ceiling: whoever would go beyond is told no at once, nobody waits. Any thread.
class Quota {
public:
    explicit Quota(std::int64_t most) : most_{most} {}
    Quota(const Quota&) = delete;
    Quota& operator=(const Quota&) = delete;

    /// Holds some of the quota and gives it back when it goes.
    class Permit {
    public:
        Permit() = default;
        ~Permit() { release(); }
        Permit(Permit&& other) noexcept : quota_{std::exchange(other.quota_, nullptr)}, amount_{std::exchange(other.amount_, 0)} {}
        Permit& operator=(Permit&& other) noexcept {
            release();
            quota_ = std::exchange(other.quota_, nullptr);
            amount_ = std::exchange(other.amount_, 0);
            return *this;
        }
        void release() {
            if (quota_ != nullptr) std::exchange(quota_, nullptr)->used_.fetch_sub(amount_, std::memory_order_relaxed);
        }

    private:
        friend class Quota;
        Permit(Quota& quota, std::int64_t amount) : quota_{&quota}, amount_{amount} {}
        Quota* quota_ = nullptr;
        std::int64_t amount_ = 0;
    };

    /// Empty, and counted, when `amount` more would exceed the ceiling.
    std::optional<Permit> take(std::int64_t amount) {
        if (used_.fetch_add(amount, std::memory_order_relaxed) + amount <= most_) return Permit{*this, amount};
        used_.fetch_sub(amount, std::memory_order_relaxed);
        refused_.fetch_add(1, std::memory_order_relaxed);
        return {};
    }
    /// The same, but that one of any size is let through when nothing else is held: it could never come otherwise.
    std::optional<Permit> take_or_alone(std::int64_t amount) {
        std::int64_t nothing = 0;
        if (amount > most_ && used_.compare_exchange_strong(nothing, amount, std::memory_order_relaxed)) return Permit{*this, amount};
        return take(amount);
    }
    std::int64_t used() const { return used_.load(std::memory_order_relaxed); }
    std::int64_t most() const { return most_; }
    std::int64_t refused() const { return refused_.load(std::memory_order_relaxed); }

private:
    const std::int64_t most_;
    std::atomic<std::int64_t> used_{0};
    std::atomic<std::int64_t> refused_{0};
};

/// A quota of the same size for each tenant, so that none can take everything from the others; as many as tenants. Any thread.
class TenantQuotas {
public:
    explicit TenantQuotas(std::int64_t most) : most_{most} {}
    Quota& of(engine::TenantId tenant) {
        const std::lock_guard lock{mutex_};
        auto& quota = quotas_[tenant.value()];
        if (quota == nullptr) quota = std::make_unique<Quota>(most_);
        return *quota;
    }

private:
    const std::int64_t most_;
    std::mutex mutex_;
    std::unordered_map<std::int32_t, std::unique_ptr<Quota>> quotas_;
};

}  // namespace catenary::server::net
