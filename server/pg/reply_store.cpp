#include "server/pg/reply_store.hpp"

#include "server/pg/keyed_effect.hpp"
#include "server/pg/sealed_reply.hpp"
#include "server/pg/sha256.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <pqxx/pqxx>

#include <string>

namespace catenary::server::pg {
namespace {

using api::http::Request;
using api::http::Response;
using State = net::RememberedReplies::State;

// What is past its time is removed when keys are claimed, some at a time.
constexpr const char* expire_sql = R"(
    DELETE FROM remembered_reply WHERE (tenant, key_id, key) IN (
        SELECT tenant, key_id, key FROM remembered_reply WHERE made < clock_timestamp() - interval '24 hours' ORDER BY made LIMIT 100))";
constexpr const char* count_sql = "SELECT count(*) FROM remembered_reply";
constexpr const char* find_sql = R"(
    SELECT encode(request, 'hex'), position, reply FROM remembered_reply
    WHERE key_id = $1 AND key = $2 AND made >= clock_timestamp() - interval '24 hours')";

/// The same for the same method, target, type and body; each with its length, so that no two requests read alike.
std::string fingerprint(const Request& request) {
    std::string all = std::to_string(static_cast<int>(request.method));
    for (const auto* part : {&request.target, &request.content_type, &request.body}) all += ' ' + std::to_string(part->size()) + ' ' + *part;
    return sha256_hex(all);
}

/// A key's row, read.
struct Known {
    State state = State::run;
    std::optional<engine::Position> written = std::nullopt;
    Response reply = {};
};

StoreResult<Known> known_of(TenantTransaction& transaction, const std::string& key_id, const RequestKey& key, std::string_view bearer) {
    transaction.exec(expire_sql);
    const auto found = transaction.exec_params(find_sql, key_id, key.key);
    if (found.empty()) {
        const bool is_full = transaction.exec1(count_sql)[0].as<int>() >= ReplyStore::most_replies;
        return Known{is_full ? State::full : State::run};
    }
    const auto& row = found[0];
    if (key.fingerprint != row[0].c_str()) return Known{State::other_request};
    if (row[2].is_null()) return Known{State::run, engine::Position{row[1].as<std::int64_t>()}};
    const pqxx::binarystring sealed{row[2]};
    auto reply = open_reply({sealed.get(), sealed.size()}, bearer);
    if (!reply) return StoreError{StoreErrorCode::refused, "a kept reply does not open"};  // an altered row: the secret belongs to the key
    return Known{State::answered, {}, *std::move(reply)};
}

}  // namespace

api::ports::Outcome<net::RememberedReplies::Claim> ReplyStore::claim(const Request& request, const api::Caller& caller, std::string_view bearer) {
    RequestKey key{request.idempotency_key, fingerprint(request)};
    auto known =
        tenant_transaction(pool_, caller, Access::write, [&](TenantTransaction& transaction) { return known_of(transaction, caller.key_id, key, bearer); });
    if (!known) return to_failure(known.error(), "claim_idempotency_key");
    Claim claim{(*known).state, std::move((*known).reply), nullptr};
    if (claim.state == State::run) claim.effect = std::make_unique<KeyedEffect>(pool_, caller, std::move(key), std::string{bearer}, (*known).written);
    return claim;
}

}  // namespace catenary::server::pg
