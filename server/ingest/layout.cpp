#include "server/ingest/layout.hpp"

#include <algorithm>
#include <string>

namespace catenary::server {
namespace {

constexpr const char* key_sql = "SELECT hash_key FROM layout";
constexpr const char* leaves_sql = "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'signal'::regclass";

}  // namespace

DigestKey load_digest_key(PqConnection& connection) {
    const auto rows = connection.query(key_sql);
    DigestKey key{};
    if (rows.rows() != 1 || rows.text(0, 0).size() != key.size()) throw PqError{"layout.hash_key is missing", "", false};
    const auto bytes = rows.text(0, 0);
    std::copy(bytes.begin(), bytes.end(), key.begin());
    return key;
}

std::set<Day> load_leaves(PqConnection& connection) {
    const auto names = connection.run(leaves_sql);
    std::set<Day> leaves;
    for (int row = 0; row < names.rows(); ++row) leaves.insert(LeafCalendar::leaf_named(std::string{names.text(row, 0)}));
    return leaves;
}

}  // namespace catenary::server
