#include "server/pg/reply_store.hpp"

#include "server/pg/sealed_reply.hpp"
#include "server/pg/sha256.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <pqxx/pqxx>

#include <string>

namespace catenary::server::pg {
namespace {

using api::http::Request;
using api::http::Response;
using Claim = net::RememberedReplies::Claim;
using State = net::RememberedReplies::State;

// What is past its time is removed when keys are claimed, some at a time.
constexpr const char* expire_sql = R"(
    DELETE FROM remembered_reply WHERE (tenant, key_id, key) IN (
        SELECT tenant, key_id, key FROM remembered_reply WHERE made < clock_timestamp() - interval '24 hours' ORDER BY made LIMIT 100))";
constexpr const char* count_sql = "SELECT count(*) FROM remembered_reply";
constexpr const char* claim_sql = R"(
    INSERT INTO remembered_reply AS r (tenant, key_id, key, request) VALUES (current_tenant(), $1, $2, decode($3, 'hex'))
    ON CONFLICT (tenant, key_id, key) DO UPDATE SET request = excluded.request, made = clock_timestamp(), reply = NULL
        WHERE r.made < clock_timestamp() - interval '24 hours'
    RETURNING 1)";
constexpr const char* find_sql = "SELECT encode(request, 'hex'), reply FROM remembered_reply WHERE key_id = $1 AND key = $2";
constexpr const char* keep_sql = "UPDATE remembered_reply SET reply = $3 WHERE key_id = $1 AND key = $2";
constexpr const char* forget_sql = "DELETE FROM remembered_reply WHERE key_id = $1 AND key = $2";

/// The same for the same method, target, type and body; each with its length, so that no two requests read alike.
std::string fingerprint(const Request& request) {
    std::string all = std::to_string(static_cast<int>(request.method));
    for (const auto* part : {&request.target, &request.content_type, &request.body}) all += ' ' + std::to_string(part->size()) + ' ' + *part;
    return sha256_hex(all);
}

StoreResult<Claim> claim_key(TenantTransaction& transaction, const Request& request, const std::string& key_id, std::string_view bearer) {
    transaction.exec(expire_sql);
    const auto wanted = fingerprint(request);
    const auto known = transaction.exec_params(find_sql, key_id, request.idempotency_key);
    if (known.empty() && transaction.exec1(count_sql)[0].as<int>() >= ReplyStore::most_replies) return Claim{State::full, {}};
    if (!transaction.exec_params(claim_sql, key_id, request.idempotency_key, wanted).empty()) return Claim{State::ours, {}};
    const auto found = transaction.exec_params(find_sql, key_id, request.idempotency_key);
    if (found.empty()) return StoreError{StoreErrorCode::retry, "the claim on the key was just given up"};
    if (wanted != found[0][0].c_str()) return Claim{State::other_request, {}};
    if (found[0][1].is_null()) return Claim{State::unfinished, {}};
    const pqxx::binarystring sealed{found[0][1]};
    auto reply = open_reply({sealed.get(), sealed.size()}, bearer);
    if (!reply) return Claim{State::unfinished, {}};
    return Claim{State::answered, *std::move(reply)};
}

}  // namespace

api::ports::Outcome<Claim> ReplyStore::claim(const Request& request, const api::Caller& caller, std::string_view bearer) {
    return to_outcome(tenant_transaction(pool_, caller, Access::write,
                                         [&](TenantTransaction& transaction) { return claim_key(transaction, request, caller.key_id, bearer); }),
                      "claim_idempotency_key");
}

void ReplyStore::keep(const Request& request, const api::Caller& caller, std::string_view bearer, const Response& reply) {
    const auto sealed = seal_reply(reply, bearer);
    const auto kept = tenant_transaction(pool_, caller, Access::write, [&](TenantTransaction& transaction) {
        transaction.exec_params(keep_sql, caller.key_id, request.idempotency_key, pqxx::binarystring{sealed.data(), sealed.size()});
    });
    if (!kept) static_cast<void>(to_failure(kept.error(), "keep_reply"));  // logged; the key stays unfinished
}

void ReplyStore::forget(const Request& request, const api::Caller& caller) {
    const auto forgotten = tenant_transaction(
        pool_, caller, Access::write, [&](TenantTransaction& transaction) { transaction.exec_params(forget_sql, caller.key_id, request.idempotency_key); });
    if (!forgotten) static_cast<void>(to_failure(forgotten.error(), "forget_idempotency_key"));
}

}  // namespace catenary::server::pg
