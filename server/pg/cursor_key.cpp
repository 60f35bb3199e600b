#include "server/pg/cursor_key.hpp"

#include <sodium.h>
#include <pqxx/pqxx>

#include <string_view>

namespace catenary::server::pg {
namespace {

constexpr const char* secret_sql = "SELECT hash_key FROM layout";
constexpr std::string_view purpose = "cursors of lists";

}  // namespace

Started<api::http::CursorKey> cursor_key(const Database& database) {
    try {
        pqxx::connection connection{database.dsn(Role::lane)};  // requests may not read the secret
        pqxx::work transaction{connection};
        const pqxx::binarystring secret{transaction.exec1(secret_sql)[0]};
        api::http::CursorKey key{};
        crypto_generichash(key.data(), key.size(), reinterpret_cast<const unsigned char*>(purpose.data()), purpose.size(), secret.data(), secret.size());
        return key;
    } catch (const pqxx::failure& failure) {
        return StartFailure{std::string{"cannot read the layout of the database: "} + failure.what()};
    }
}

}  // namespace catenary::server::pg
