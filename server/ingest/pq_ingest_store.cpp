#include "server/ingest/pq_ingest_store.hpp"

#include "server/ingest/pq_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace catenary::server {
namespace {

// Dictionary look-ups are many small index probes whatever the statistics say. A lock on the log is held for one transaction; waiting longer means that
// somebody hangs. A process that stands still in the middle of a transaction must not hold the log against all others.
constexpr const char* settings_sql =
    "SET jit = off; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET lock_timeout = '30s'; "
    "SET idle_in_transaction_session_timeout = '10s'";
constexpr const char* lanes_sql = "SELECT id, lane FROM tenant WHERE id = ANY ($1::int4[])";

// Eight megabytes sorted with too little memory: a temporary file, which is written like a table and gone afterwards. No WAL: to find that full ends PostgreSQL.
constexpr const char* probe_sql =
    "SELECT set_config('work_mem', '64kB', true); "
    "SELECT count(*) FROM (SELECT repeat(md5(n::text), 31) FROM generate_series(1, 8192) AS n ORDER BY 1 OFFSET 0) AS spilled";

std::string stored_sql(Day leaf, Day end) {
    return fmt::format("COPY (SELECT key, content FROM signal WHERE time >= {} AND time < {}) TO STDOUT (FORMAT binary)", sql_time(leaf), sql_time(end));
}

}  // namespace

void PqIngestStore::connect() {
    connection_ = std::make_unique<PqConnection>(dsn_);
    connection_->run(settings_sql);
}

GroupWriter& PqIngestStore::writer() {
    if (!writer_) writer_.emplace(dictionary_bytes_, digest_key());
    return *writer_;
}

std::map<engine::TenantId, std::int16_t> PqIngestStore::lanes_of(std::span<const std::int32_t> tenants) {
    const std::vector<PqParameter> parameters{int4_array(tenants)};
    const auto rows = connection_->query(lanes_sql, parameters);
    std::map<engine::TenantId, std::int16_t> lanes;
    for (int row = 0; row < rows.rows(); ++row) lanes.emplace(engine::TenantId{rows.int4(row, 0)}, rows.int2(row, 1));
    return lanes;
}

void PqIngestStore::make_leaf(Day leaf) {
    if (!leaf_maker_ || !leaf_maker_->good()) leaf_maker_ = std::make_unique<PqConnection>(dsn_);
    leaf_maker_->run(fmt::format("SELECT ensure_leaf(DATE '1970-01-01' + {})", leaf));
}

void PqIngestStore::each_stored(Day leaf, Day end, const std::function<bool(const DedupSet::Stored&)>& take) {
    connection_->run("SET enable_seqscan = on");  // here a leaf is read whole
    connection_->copy_out(stored_sql(leaf, end));
    bool header = true;
    bool wanted = true;
    for (auto piece = connection_->copy_row(); !piece.empty(); piece = connection_->copy_row()) {
        auto row = piece.bytes();
        if (std::exchange(header, false)) row.remove_prefix(std::min(row.size(), copy_header_bytes));
        constexpr std::size_t key_at = 6, content_at = 26, size = 34;  // field count, then each field after its length
        if (row.size() != size || !wanted) continue;
        const auto key = row.substr(key_at);
        wanted = take({{read_number<std::uint64_t>(key), read_number<std::uint64_t>(key.substr(8))}, read_number<std::int64_t>(row.substr(content_at))});
    }
    connection_->run("SET enable_seqscan = off");
}

void PqIngestStore::probe_room() { connection_->run(probe_sql); }

void PqIngestStore::roll_back() noexcept {
    if (writer_) writer_->roll_back(*connection_);
}

}  // namespace catenary::server
