#pragma once

#include "server/auth/caller_cache.hpp"
#include "server/net/authenticator.hpp"
#include "server/pg/pool.hpp"

#include <chrono>
#include <cstdint>

namespace catenary::server::auth {

/// API keys of the database. A key that was withdrawn, or has expired, stops working within `lifetime`.
class KeyAuthenticator final : public net::Authenticator {
public:
    static constexpr std::size_t capacity = 4'096;
    static constexpr std::chrono::milliseconds default_lifetime{5'000};

    explicit KeyAuthenticator(pg::Pool& pool, std::chrono::milliseconds lifetime = default_lifetime) : pool_{pool}, cache_{capacity, lifetime} {}
    std::optional<api::Caller> cached(std::string_view bearer) override;
    api::ports::Outcome<std::optional<api::Caller>> authenticate(std::string_view bearer) override;

private:
    pg::Pool& pool_;
    CallerCache cache_;
};

}  // namespace catenary::server::auth
