#include "server/auth/key_authenticator.hpp"

#include "server/auth/api_key.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace catenary::server::auth {
namespace {

constexpr const char* key_sql =
    "SELECT tenant, tenant_name, secret_sha256, scopes, sources, (extract(epoch FROM expires - now()) * 1000)::int8, operator FROM key_for($1)";
constexpr const char* used_sql = "SELECT key_used($1)";

struct FoundKey {
    api::Caller caller;
    std::optional<std::chrono::milliseconds> left;  ///< until it expires
};

std::optional<FoundKey> look_up(pg::TenantTransaction& transaction, const ApiKeyParts& parts) {
    const std::string id{parts.id};
    const auto rows = transaction.exec_params(key_sql, id);
    if (rows.empty()) return std::nullopt;
    const auto row = rows[0];
    const pqxx::binarystring stored{row[2]};
    pg::Sha256 expected{};
    if (stored.size() != expected.size()) return std::nullopt;
    std::memcpy(expected.data(), stored.data(), expected.size());
    if (!same_digest(pg::sha256(parts.secret), expected)) return std::nullopt;
    FoundKey found;
    found.caller.tenant = engine::TenantId{row[0].as<std::int32_t>()};
    found.caller.tenant_name = row[1].c_str();
    found.caller.key_id = id;
    found.caller.scopes = static_cast<std::uint16_t>(row[3].as<int>());
    for (auto& source : pg::text_array(row[4])) found.caller.sources.insert(std::move(source));
    if (!row[5].is_null()) found.left = std::chrono::milliseconds{std::max<std::int64_t>(row[5].as<std::int64_t>(), 0)};
    found.caller.operator_tenant = row[6].as<bool>();
    transaction.exec_params(used_sql, id);
    return found;
}

}  // namespace

std::optional<api::Caller> KeyAuthenticator::cached(std::string_view bearer) { return cache_.find(pg::sha256(bearer), std::chrono::steady_clock::now()); }

api::ports::Outcome<std::optional<api::Caller>> KeyAuthenticator::authenticate(std::string_view bearer) {
    const auto parts = parse_api_key(bearer);
    if (!parts) return std::optional<api::Caller>{};
    if (auto known = cached(bearer)) return known;
    const auto token = pg::sha256(bearer);
    if (strangers_.find(token, std::chrono::steady_clock::now())) return std::optional<api::Caller>{};
    look_ups_.fetch_add(1, std::memory_order_relaxed);
    const auto found =
        pg::tenant_transaction(pool_, std::nullopt, pg::Access::write, [&](pg::TenantTransaction& transaction) { return look_up(transaction, *parts); });
    if (!found) {
        auto error = found.error();
        if (error.code == pg::StoreErrorCode::outcome_unknown) error.code = pg::StoreErrorCode::unavailable;  // all that may have been written is `last_used`
        return pg::to_failure(error, "authenticate");
    }
    if (!*found) {
        strangers_.put(token, {}, std::chrono::steady_clock::now());
        return std::optional<api::Caller>{};
    }
    auto caller = (**found).caller;
    cache_.put(token, caller, std::chrono::steady_clock::now(), (**found).left);
    return std::optional{std::move(caller)};
}

}  // namespace catenary::server::auth
