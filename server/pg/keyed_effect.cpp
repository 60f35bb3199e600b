#include "server/pg/keyed_effect.hpp"

#include "server/pg/sealed_reply.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

namespace catenary::server::pg {
namespace {

// Of requests with one key one is run at a time: the others wait here, and see what it left.
constexpr const char* lock_sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
constexpr const char* taken_sql =
    "SELECT EXISTS (SELECT FROM remembered_reply WHERE key_id = $1 AND key = $2 AND made >= clock_timestamp() - interval '24 hours')";
constexpr const char* record_sql = R"(
    INSERT INTO remembered_reply (tenant, key_id, key, request, position, reply) VALUES (current_tenant(), $1, $2, decode($3, 'hex'), $4, $5)
    ON CONFLICT (tenant, key_id, key) DO UPDATE
        SET request = excluded.request, position = excluded.position, reply = excluded.reply, made = clock_timestamp())";
constexpr const char* forget_sql = "DELETE FROM remembered_reply WHERE key_id = $1 AND key = $2";

}  // namespace

KeyedEffect::KeyedEffect(Pool& pool, const api::Caller& caller, RequestKey key, std::string bearer, std::optional<engine::Position> written)
    : pool_{pool}, caller_{caller}, key_{std::move(key)}, bearer_{std::move(bearer)}, written_{written} {
    caller_.effect_key = nullptr;  // its own transactions are not joined
}

KeyedEffect::~KeyedEffect() = default;

StoreResult<void> KeyedEffect::begin() {
    if (open_) return {};
    for (bool first = true;; first = false) {
        auto lease = first ? pool_.lease() : pool_.fresh_lease();
        if (!lease) return lease.error();
        open_.emplace(Open{*std::move(lease), nullptr});
        const auto is_taken = guarded([&]() -> bool {
            open_->transaction = std::make_unique<TenantTransaction>(open_->lease.connection(), caller_, Access::write);
            open_->transaction->exec_params(lock_sql, fmt::format("idempotency {} {} {}", caller_.tenant.value(), caller_.key_id, key_.key));
            return open_->transaction->exec_params1(taken_sql, caller_.key_id, key_.key)[0].as<bool>();
        });
        if (is_taken && !*is_taken) return {};
        overtaken_ = is_taken.has_value();
        const auto error = overtaken_ ? StoreError{StoreErrorCode::retry, "the same request was faster"} : is_taken.error();
        roll_back(error.code);
        if (!first || error.code != StoreErrorCode::unavailable) return error;
    }
}

void KeyedEffect::roll_back(StoreErrorCode why) {
    if (open_ && (why == StoreErrorCode::unavailable || why == StoreErrorCode::outcome_unknown)) open_->lease.spoil();
    open_.reset();
    hooks_.clear();
}

StoreResult<void> KeyedEffect::commit() {
    auto committed = guarded([&] { open_->transaction->commit(); });
    if (!committed) {
        auto error = committed.error();
        if (error.code == StoreErrorCode::unavailable) error.code = StoreErrorCode::outcome_unknown;
        roll_back(error.code);
        return error;
    }
    open_.reset();
    for (const auto& hook : std::exchange(hooks_, {})) hook();
    return {};
}

void KeyedEffect::record(TenantTransaction& transaction, const api::http::Response* reply) const {
    std::optional<std::int64_t> position;
    if (written_) position = written_->value();
    if (reply == nullptr) {
        transaction.exec_params(record_sql, caller_.key_id, key_.key, key_.fingerprint, position, std::optional<std::string>{});
        return;
    }
    const auto sealed = seal_reply(*reply, bearer_);
    transaction.exec_params(record_sql, caller_.key_id, key_.key, key_.fingerprint, position, pqxx::binarystring{sealed.data(), sealed.size()});
}

StoreResult<void> KeyedEffect::commit_at(engine::Position position) {
    written_ = position;
    auto recorded = join([&](TenantTransaction& transaction) { record(transaction, nullptr); });
    auto committed = recorded ? commit() : recorded;
    if (!committed) written_.reset();
    return committed;
}

api::ports::Outcome<bool> KeyedEffect::keep(const api::http::Response& reply) {
    if (open_) {
        auto kept = join([&](TenantTransaction& transaction) { record(transaction, &reply); });
        if (kept) kept = commit();
        if (!kept) return to_failure(kept.error(), "keep_reply");
        return true;
    }
    if (!written_) return true;  // nothing was written, so a repeat does no harm
    const auto kept = tenant_transaction(pool_, caller_, Access::write, [&](TenantTransaction& transaction) { record(transaction, &reply); });
    if (!kept) static_cast<void>(to_failure(kept.error(), "keep_reply"));  // logged; a repeat makes the reply from the entry again
    return true;
}

void KeyedEffect::forget() {
    roll_back(StoreErrorCode::refused);
    if (!std::exchange(written_, std::nullopt)) return;
    const auto forgotten = tenant_transaction(pool_, caller_, Access::write,
                                              [&](TenantTransaction& transaction) { transaction.exec_params(forget_sql, caller_.key_id, key_.key); });
    if (!forgotten) static_cast<void>(to_failure(forgotten.error(), "forget_idempotency_key"));  // a repeat is refused again for the same reason
}

void after_commit(const api::Caller& caller, const std::function<void()>& then) {
    if (!then) return;
    if (auto* effect = KeyedEffect::of(caller)) effect->after_commit(then);
    else then();
}

}  // namespace catenary::server::pg
