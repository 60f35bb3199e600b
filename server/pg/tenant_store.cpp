#include "server/pg/tenant_store.hpp"

#include "server/auth/api_key.hpp"
#include "server/pg/place.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace catenary::server::pg {
namespace {

using api::ports::AuditFilter;
using api::ports::AuditRow;
using api::ports::KeyRotation;
using api::ports::KeyRow;
using api::ports::NewKey;
using api::ports::NewTenant;
using api::ports::Page;
using api::ports::PageRequest;
using api::ports::RotatedKey;
using api::ports::TenantRow;

constexpr int most_keys = 1'000;           // of one tenant
constexpr std::size_t most_sources = 100;  // a key may be limited to

constexpr const char* add_sql = "SELECT add_tenant($1, $2, decode($3, 'hex'), $4)";
constexpr const char* page_sql = "SELECT id, name, created FROM tenant_page($1, $2)";
constexpr const char* keys_sql = R"(
    SELECT id, scopes, sources, created, expires, last_used FROM api_key
    WHERE $1::timestamptz IS NULL OR (created, id) > ($1, $2::text) ORDER BY created, id LIMIT $3)";
constexpr const char* is_past_sql = "SELECT $1::timestamptz <= clock_timestamp()";
constexpr const char* count_keys_sql = "SELECT count(*) FROM api_key";
constexpr const char* add_key_sql = R"(
    INSERT INTO api_key (id, tenant, secret_sha256, scopes, sources, expires)
    VALUES ($1, current_tenant(), decode($2, 'hex'), $3, $4::text[], $5::timestamptz)
    RETURNING id, scopes, sources, created, expires, last_used)";
// Locked, so that of two rotations at once each replaces what it read.
constexpr const char* old_key_sql = R"(
    SELECT scopes, sources::text,
           coalesce($2::timestamptz, CASE WHEN expires IS NOT NULL THEN clock_timestamp() + (expires - created) END)
    FROM api_key WHERE id = $1 AND (expires IS NULL OR expires > clock_timestamp()) FOR UPDATE)";
constexpr const char* end_key_sql = R"(
    UPDATE api_key SET expires = least(coalesce(expires, 'infinity'), clock_timestamp() + make_interval(secs => $2))
    WHERE id = $1 RETURNING expires)";
constexpr const char* remove_key_sql = "DELETE FROM api_key WHERE id = $1";

constexpr const char* audit_sql = R"(
    SELECT id, at, actor, action, target, detail FROM audit
    WHERE ($1::int8 IS NULL OR id < $1) AND ($2::text[] IS NULL OR actor = ANY ($2)) AND ($3::text[] IS NULL OR action = ANY ($3))
      AND ($4::text[] IS NULL OR target = ANY ($4)) AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)
    ORDER BY id DESC LIMIT $7)";

KeyRow key_from(const pqxx::row& row) {
    return {row[0].c_str(),
            static_cast<std::uint16_t>(row[1].as<int>()),
            text_array(row[2]),
            timestamp_from(row[3]),
            optional_timestamp(row[4]),
            optional_timestamp(row[5])};
}

/// Whether a key made to end then would never open anything.
bool is_past(TenantTransaction& transaction, const std::optional<engine::Timestamp>& expires) {
    return expires && transaction.exec_params1(is_past_sql, optional_timestamp_text(expires))[0].as<bool>();
}
const StoreError expired_from_the_start{StoreErrorCode::invalid, "the time is past: the key would open nothing", {}, "/expires"};
bool is_full(TenantTransaction& transaction) { return transaction.exec1(count_keys_sql)[0].as<int>() >= most_keys; }
StoreError no_more_keys() { return {StoreErrorCode::invalid, fmt::format("a tenant has at most {} keys", most_keys)}; }

using Keep = std::function<bool(const std::string& key)>;

StoreResult<std::string> add_tenant(Pool& pool, const Acting& by, const std::string& name, const Keep& keep) {
    const auto key = auth::make_api_key();
    return tenant_transaction(pool, by, Access::write, [&](TenantTransaction& transaction) -> StoreResult<std::string> {
        transaction.exec_params1(add_sql, name, key.id, key.digest_hex, static_cast<int>(auth::every_scope()));
        if (keep && !keep(key.text)) return StoreError{StoreErrorCode::invalid, "the key could not be kept"};
        return {boost::system::in_place_value, key.text};
    });
}

}  // namespace

api::ports::Outcome<NewTenant> TenantStore::add(const api::Caller& caller, const std::string& name) {
    const auto key = add_tenant(pool_, caller, name, {});
    if (key) return NewTenant{name, *key};
    if (key.error().code == StoreErrorCode::conflict) return to_failure(key.error(), "add_tenant");
    if (key.error().sqlstate == "23514") return to_failure({StoreErrorCode::invalid, "a tenant's name has 1 to 128 characters"}, "add_tenant");
    if (key.error().sqlstate == "42501") return to_failure({StoreErrorCode::not_found, "only the operator's tenant makes tenants"}, "add_tenant");
    return to_failure(key.error(), "add_tenant");
}

api::ports::Outcome<Page<TenantRow>> TenantStore::page(const api::Caller& caller, const PageRequest& request) {
    auto page = tenant_transaction(pool_, caller.tenant, Access::read, [&](TenantTransaction& transaction) -> StoreResult<Page<TenantRow>> {
        int after = 0;
        if (!request.after.empty()) {
            const auto [end, error] = std::from_chars(request.after.data(), request.after.data() + request.after.size(), after);
            if (error != std::errc{} || end != request.after.data() + request.after.size()) {
                return foreign_cursor();
            }
        }
        Page<TenantRow> found;
        int last = 0;
        for (const auto& row : transaction.exec_params(page_sql, after, static_cast<int>(request.limit + 1))) {
            if (found.items.size() == request.limit) {
                found.next = std::to_string(last);
                break;
            }
            found.items.push_back({row[1].c_str(), timestamp_from(row[2])});
            last = row[0].as<int>();
        }
        return found;
    });
    if (!page && page.error().sqlstate == "42501") return to_failure({StoreErrorCode::not_found, "only the operator's tenant lists tenants"}, "list_tenants");
    return to_outcome(std::move(page), "list_tenants");
}

api::ports::Outcome<Page<KeyRow>> TenantStore::keys(const api::Caller& caller, const PageRequest& request) {
    return to_outcome(
        tenant_transaction(pool_, caller.tenant, Access::read,
                           [&](TenantTransaction& transaction) -> StoreResult<Page<KeyRow>> {
                               std::optional<std::string> created, id;
                               if (!request.after.empty()) {
                                   const auto place = place_from(request.after, 2);
                                   if (!place) return foreign_cursor();
                                   created = (*place)[0];
                                   id = (*place)[1];
                               }
                               Page<KeyRow> found;
                               for (const auto& row : transaction.exec_params(keys_sql, created, id, static_cast<std::int64_t>(request.limit + 1))) {
                                   if (found.items.size() == request.limit) {
                                       found.next = place_text({timestamp_text(found.items.back().created), found.items.back().id});
                                       break;
                                   }
                                   found.items.push_back(key_from(row));
                               }
                               return found;
                           }),
        "list_keys");
}

api::ports::Outcome<NewKey> TenantStore::add_key(const api::Caller& caller, const KeyRow& wanted) {
    const auto key = auth::make_api_key();
    return to_outcome(
        tenant_transaction(pool_, caller, Access::write,
                           [&](TenantTransaction& transaction) -> StoreResult<NewKey> {
                               if (wanted.sources.size() > most_sources) {
                                   return StoreError{StoreErrorCode::invalid, fmt::format("a key is limited to at most {} sources", most_sources)};
                               }
                               if (is_past(transaction, wanted.expires)) return expired_from_the_start;
                               if (is_full(transaction)) return no_more_keys();
                               const auto row = transaction.exec_params1(add_key_sql, key.id, key.digest_hex, static_cast<int>(wanted.scopes),
                                                                         array_literal(wanted.sources), optional_timestamp_text(wanted.expires));
                               return NewKey{key_from(row), key.text};
                           }),
        "add_key");
}

api::ports::Outcome<bool> TenantStore::remove_key(const api::Caller& caller, const std::string& id) {
    return to_outcome(tenant_transaction(pool_, caller, Access::write,
                                         [&](TenantTransaction& transaction) -> StoreResult<bool> {
                                             if (transaction.exec_params(remove_key_sql, id).affected_rows() == 0) {
                                                 return StoreError{StoreErrorCode::not_found, fmt::format("there is no key {}", id)};
                                             }
                                             return true;
                                         }),
                      "remove_key");
}

api::ports::Outcome<RotatedKey> TenantStore::rotate_key(const api::Caller& caller, const std::string& id, const KeyRotation& rotation) {
    const auto key = auth::make_api_key();
    return to_outcome(tenant_transaction(pool_, caller, Access::write,
                                         [&](TenantTransaction& transaction) -> StoreResult<RotatedKey> {
                                             if (is_past(transaction, rotation.expires)) return expired_from_the_start;
                                             if (is_full(transaction)) return no_more_keys();
                                             const auto old = transaction.exec_params(old_key_sql, id, optional_timestamp_text(rotation.expires));
                                             if (old.empty()) return StoreError{StoreErrorCode::not_found, fmt::format("there is no key {}", id)};
                                             std::optional<std::string> expires;
                                             if (!old[0][2].is_null()) expires = old[0][2].c_str();
                                             const auto row = transaction.exec_params1(add_key_sql, key.id, key.digest_hex, old[0][0].as<int>(),
                                                                                       std::string{old[0][1].c_str()}, expires);
                                             const std::chrono::duration<double> overlap{rotation.overlap};
                                             const auto ended = transaction.exec_params1(end_key_sql, id, overlap.count());
                                             return RotatedKey{{key_from(row), key.text}, id, timestamp_from(ended[0])};
                                         }),
                      "rotate_key");
}

api::ports::Outcome<Page<AuditRow>> TenantStore::audit(const api::Caller& caller, const AuditFilter& filter, const PageRequest& request) {
    return to_outcome(
        tenant_transaction(pool_, caller.tenant, Access::read,
                           [&](TenantTransaction& transaction) -> StoreResult<Page<AuditRow>> {
                               std::optional<std::int64_t> before;
                               if (!request.after.empty()) {
                                   before = 0;
                                   const auto* const end = request.after.data() + request.after.size();
                                   const auto parsed = std::from_chars(request.after.data(), end, *before);
                                   if (parsed.ec != std::errc{} || parsed.ptr != end) {
                                       return foreign_cursor();
                                   }
                               }
                               const auto rows =
                                   transaction.exec_params(audit_sql, before, filter_literal(filter.actors), filter_literal(filter.actions),
                                                           filter_literal(filter.targets), optional_timestamp_text(filter.time.first),
                                                           optional_timestamp_text(filter.time.second), static_cast<std::int64_t>(request.limit + 1));
                               Page<AuditRow> found;
                               std::int64_t last = 0;
                               for (const auto& row : rows) {
                                   if (found.items.size() == request.limit) {
                                       found.next = std::to_string(last);
                                       break;
                                   }
                                   found.items.push_back({timestamp_from(row[1]), row[2].c_str(), row[3].c_str(), row[4].c_str(), row[5].c_str()});
                                   last = row[0].as<std::int64_t>();
                               }
                               return found;
                           }),
        "list_audit");
}

api::ports::Outcome<bool> TenantStore::make_first_tenant(const Keep& keep, const std::string& name) {
    const auto key = add_tenant(pool_, std::nullopt, name, keep);
    if (key) return true;
    // Nobody may make a second tenant namelessly: the database has tenants already.
    if (key.error().sqlstate == "42501") return false;
    return to_failure(key.error(), "make_first_tenant");
}

}  // namespace catenary::server::pg
