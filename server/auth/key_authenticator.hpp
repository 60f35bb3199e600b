#pragma once

#include "server/auth/caller_cache.hpp"
#include "server/net/authenticator.hpp"
#include "server/pg/pool.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace catenary::server::auth {

/// API keys of the database. A key that was withdrawn, or has expired, stops working within `lifetime`. A token that was refused is refused from memory
/// for `stranger_lifetime`.
class KeyAuthenticator final : public net::Authenticator {
public:
    static constexpr std::size_t capacity = 4'096;
    static constexpr std::chrono::milliseconds default_lifetime{5'000};
    static constexpr std::chrono::milliseconds stranger_lifetime{60'000};

    explicit KeyAuthenticator(pg::Pool& pool, std::chrono::milliseconds lifetime = default_lifetime)
        : pool_{pool}, cache_{capacity, lifetime}, strangers_{capacity, stranger_lifetime} {}
    std::optional<api::Caller> cached(std::string_view bearer) override;
    api::ports::Outcome<std::optional<api::Caller>> authenticate(std::string_view bearer) override;

    struct Usage {
        std::size_t known, strangers;  ///< tokens in memory
        std::int64_t look_ups;         ///< asked of the database
    };
    Usage usage() const { return {cache_.size(), strangers_.size(), look_ups_.load(std::memory_order_relaxed)}; }

private:
    pg::Pool& pool_;
    CallerCache cache_;
    StrangerCache strangers_;
    std::atomic<std::int64_t> look_ups_{0};
};

}  // namespace catenary::server::auth
