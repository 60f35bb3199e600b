#pragma once

#include "server/net/remembered_replies.hpp"
#include "server/pg/pool.hpp"

namespace catenary::server::pg {

/// Remembered replies in the database, for 24 hours. A reply may hold a secret that is shown once (a new key), so it is sealed with what only the client
/// has: the secret of the API key that asked. Nobody who reads the database can open it.
class ReplyStore final : public net::RememberedReplies {
public:
    static constexpr int most_replies = 10'000;  ///< of one tenant

    explicit ReplyStore(Pool& pool) : pool_{pool} {}
    /// The effect of State::run is a KeyedEffect.
    api::ports::Outcome<Claim> claim(const api::http::Request& request, const api::Caller& caller, std::string_view bearer) override;

private:
    Pool& pool_;
};

}  // namespace catenary::server::pg
