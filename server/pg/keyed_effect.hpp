#pragma once

#include "server/net/remembered_replies.hpp"
#include "server/pg/guarded.hpp"
#include "server/pg/pool.hpp"

#include <pqxx/pqxx>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace catenary::server::pg {

class TenantTransaction;

/// What an idempotency key stands for.
struct RequestKey {
    std::string key;          ///< as the client chose it
    std::string fingerprint;  ///< of the request it came with, hexadecimal
};

/// The write transaction of a request with an Idempotency-Key. It begins with the first write of a store, which joins it through tenant_transaction(), and
/// stays open until the reply is made: then the reply goes into `remembered_reply` and all is committed at once. A store whose reply can only be made after
/// the commit says so with commit_at(); then the key is committed with the entry, and the reply is written after it. One thread at a time; holds one lease
/// while it is open, so whoever has written takes no second one before the reply.
///
///     run ──first write──▶ open ──keep()────▶ effect and reply committed
///                           │ └───commit_at()─▶ effect committed ──keep()──▶ reply written
///                           └────end, forget(), an error──▶ nothing happened
class KeyedEffect final : public net::RememberedReplies::Effect {
public:
    /// `written`: the entry of an earlier run. `bearer` seals the reply.
    KeyedEffect(Pool& pool, const api::Caller& caller, RequestKey key, std::string bearer, std::optional<engine::Position> written);
    ~KeyedEffect() override;

    /// The caller's, null when its request has no key.
    static KeyedEffect* of(const api::Caller& caller) { return static_cast<KeyedEffect*>(caller.effect_key); }  // stores get no other kind

    std::optional<engine::Position> written() const override { return written_; }
    bool overtaken() const override { return overtaken_; }
    api::ports::Outcome<bool> keep(const api::http::Response& reply) override;
    void forget() override;

    /// Runs `work(TenantTransaction&)` in the transaction, which it begins if need be; an error rolls all of it back.
    template <class F>
    auto join(F&& work) -> typename detail::StoreResultOf<std::invoke_result_t<F, TenantTransaction&>>::type {
        using Returned = typename detail::StoreResultOf<std::invoke_result_t<F, TenantTransaction&>>::type;
        if (const auto begun = begin(); !begun) return begun.error();
        auto result = guarded([&]() -> Returned {
            if constexpr (std::is_void_v<std::invoke_result_t<F, TenantTransaction&>>) {
                work(*open_->transaction);
                return {};
            } else {
                return work(*open_->transaction);
            }
        });
        if (!result) roll_back(result.error().code);
        return result;
    }

    /// Commits now: the effect is the entry at `position`, and what it leads to will be the reply.
    StoreResult<void> commit_at(engine::Position position);
    /// Runs `then` after the commit, whenever that is.
    void after_commit(std::function<void()> then) { hooks_.push_back(std::move(then)); }

private:
    struct Open {
        Pool::Lease lease;
        std::unique_ptr<TenantTransaction> transaction;
    };
    StoreResult<void> begin();
    StoreResult<void> commit();
    void roll_back(StoreErrorCode why);
    void record(TenantTransaction& transaction, const api::http::Response* reply) const;

    Pool& pool_;
    api::Caller caller_;
    RequestKey key_;
    std::string bearer_;
    std::optional<engine::Position> written_;
    bool overtaken_ = false;
    std::optional<Open> open_;
    std::vector<std::function<void()>> hooks_;
};

/// Runs `then`, which may be empty, once what the caller's request has written is committed: at once, or together with the reply.
void after_commit(const api::Caller& caller, const std::function<void()>& then);

}  // namespace catenary::server::pg
