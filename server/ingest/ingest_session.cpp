#include "server/ingest/ingest_session.hpp"

#include "server/ingest/pq_values.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <mutex>
#include <utility>

namespace catenary::server {
namespace {

// Dictionary look-ups are many small index probes whatever the statistics say. A lock on the log is held for one transaction; waiting longer means that
// somebody hangs.
constexpr const char* settings_sql = "SET jit = off; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET lock_timeout = '30s'";
constexpr const char* key_sql = "SELECT hash_key FROM layout";
constexpr const char* lanes_sql = "SELECT id, lane FROM tenant WHERE id = ANY ($1::int4[])";
constexpr const char* resolve_sql = "SELECT 1 FROM signal WHERE time >= $1 AND time < $2 AND key = $3::text::uuid AND position = $4";

// Eight megabytes sorted with too little memory: a temporary file, which is written like a table and gone afterwards. No WAL: to find that full ends PostgreSQL.
constexpr const char* probe_sql =
    "SELECT set_config('work_mem', '64kB', true); "
    "SELECT count(*) FROM (SELECT repeat(md5(n::text), 31) FROM generate_series(1, 8192) AS n ORDER BY 1 OFFSET 0) AS spilled";

std::string stored_sql(Day leaf, Day end) {
    return fmt::format("COPY (SELECT key, content FROM signal WHERE time >= {} AND time < {}) TO STDOUT (FORMAT binary)", sql_time(leaf), sql_time(end));
}

}  // namespace

IngestSession::IngestSession(const CommitterOptions& options, const Watermarks& watermarks)
    : options_{options}, watermarks_{watermarks}, stored_{options.dedup_bytes}, leaves_{options.dsn} {}

void IngestSession::connect(engine::Timestamp now) {
    connection_ = std::make_unique<PqConnection>(options_.dsn);
    if (!writer_) {
        const auto rows = connection_->query(key_sql);
        const auto key = rows.rows() == 1 ? rows.text(0, 0) : std::string_view{};
        if (key.size() != key_.size()) throw PqError{"layout.hash_key is missing", "", false};
        std::memcpy(key_.data(), key.data(), key_.size());
        writer_ = std::make_unique<GroupWriter>(options_.dictionary_bytes, key_);
    }
    leaves_.load(*connection_);
    prepare_days(now);
    resolve();
    if (!loaded_) load_stored();
    loaded_ = true;
    connection_->run(settings_sql);
}

void IngestSession::prepare_days(engine::Timestamp now) { leaves_.ensure_ahead(now); }

void IngestSession::probe_room() { connection_->run(probe_sql); }

void IngestSession::find_tenants(std::span<const WaitingRequest* const> requests) {
    std::vector<std::int32_t> unknown;
    for (const auto* request : requests) {
        if (!knows(request->tenant)) unknown.push_back(request->tenant.value());
    }
    if (unknown.empty()) return;
    const std::vector<PqParameter> parameters{int4_array(unknown)};
    const auto rows = connection_->query(lanes_sql, parameters);
    for (int row = 0; row < rows.rows(); ++row) lanes_.emplace(engine::TenantId{rows.int4(row, 0)}, rows.int2(row, 1));
}

void IngestSession::load_stored() {
    // An eighth stays free, so that the first groups do not make the set forget.
    const auto enough = stored_.capacity() - stored_.capacity() / 8;
    const auto begin = std::chrono::steady_clock::now();
    for (auto leaf = leaves_.all().rbegin(); leaf != leaves_.all().rend() && stored_.size() < enough; ++leaf) {
        connection_->copy_out(stored_sql(*leaf, leaves_.calendar().end_of(*leaf)));
        bool header = true;
        for (auto piece = connection_->copy_row(); !piece.empty(); piece = connection_->copy_row()) {
            auto row = piece.bytes();
            if (std::exchange(header, false)) row.remove_prefix(std::min(row.size(), copy_header_bytes));
            constexpr std::size_t key_at = 6, content_at = 26, size = 34;  // field count, then each field after its length
            if (row.size() != size || stored_.size() >= enough) continue;
            const auto key = row.substr(key_at);
            remember({{read_number<std::uint64_t>(key), read_number<std::uint64_t>(key.substr(8))}, read_number<std::int64_t>(row.substr(content_at))});
        }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    spdlog::info("event=dedup_loaded entries={} seconds={:.3f} complete={}", stored_.size(), took.count(), stored_.size() < enough);
}

void IngestSession::resolve() {
    if (!unresolved_) return;
    writer_->begin(*connection_);  // waits for the transaction in question if it still runs
    const auto leaf = leaves_.calendar().leaf_of(static_cast<Day>(unresolved_->key.millis() / 86'400'000));
    const auto key = fmt::format("{:016x}{:016x}", unresolved_->key.high, unresolved_->key.low);
    const std::vector<PqParameter> parameters{timestamp_value(start_of(leaf)), timestamp_value(start_of(leaves_.calendar().end_of(leaf))), PqParameter{25, key},
                                              int8_value(unresolved_->position.value())};
    const bool happened = connection_->query(resolve_sql, parameters).rows() > 0;
    writer_->roll_back(*connection_);
    if (happened) {
        for (const auto& row : unresolved_->rows) remember(row);
    }
    spdlog::info("event=commit_resolved position={} committed={}", unresolved_->position.value(), happened);
    unresolved_.reset();
}

std::optional<SignalKey> IngestSession::key_of(engine::TenantId tenant, std::string_view source, std::string_view id) const {
    Digester digester{key_};
    const auto wanted = signal_key(digester, tenant, source, id, engine::Timestamp{});  // of any time: only the id is compared
    const std::shared_lock lock{stored_mutex_};
    const auto stored = stored_.find(wanted);
    if (!stored) return std::nullopt;
    return stored->key;
}

Group IngestSession::plan(std::span<const WaitingRequest* const> requests) {
    const std::unique_lock lock{stored_mutex_};
    return plan_group(requests, lanes_, stored_, leaves_, watermarks_);
}

void IngestSession::remember(const DedupSet::Stored& row) {
    const std::unique_lock lock{stored_mutex_};
    stored_.add(row);
}

void IngestSession::take_back(const Group& group) {
    const std::unique_lock lock{stored_mutex_};
    for (const auto& key : group.added) stored_.remove(key);
}

GroupResult IngestSession::run(std::span<const WaitingRequest* const> requests, engine::Timestamp received) {
    auto result = attempt(requests, received, Check::none);
    if (result.fate == GroupFate::leaf_gone) {
        try {
            leaves_.load(*connection_);
        } catch (const PqError& error) {
            result.fate = GroupFate::failed;
            result.failed(error);
            return result;
        }
        result = attempt(requests, received, Check::none);
    }
    if (result.fate == GroupFate::collided) {
        result = attempt(requests, received, Check::stored_first);
        result.collided = true;
    }
    return result;
}

GroupResult IngestSession::attempt(std::span<const WaitingRequest* const> requests, engine::Timestamp received, Check check) {
    GroupResult result;
    result.received = received;
    result.group = plan(requests);
    if (result.group.rows.empty()) {
        // Nothing but repeats of what is committed, conflicts and refusals: there is nothing to commit.
        result.fate = GroupFate::committed;
        return result;
    }
    try {
        leaves_.ensure(result.group.missing_leaves);
        write(result, requests, check);
    } catch (const PqError& error) {
        result.fate = fate_of(error);
        result.failed(error);
        writer_->roll_back(*connection_);
        take_back(result.group);
        return result;
    }
    if (result.group.rows.empty()) return result;
    result.fate = writer_->commit(*connection_);
    if (result.fate == GroupFate::committed) return result;
    result.failed(writer_->failure());
    take_back(result.group);
    if (result.fate == GroupFate::unknown) {
        Unresolved unresolved{result.group.digests(result.group.rows.front()).key, result.first, {}};
        for (const auto& row : result.group.rows) unresolved.rows.push_back({result.group.digests(row).key, result.group.digests(row).content});
        unresolved_ = std::move(unresolved);
    }
    return result;
}

void IngestSession::write(GroupResult& result, std::span<const WaitingRequest* const> requests, Check check) {
    writer_->begin(*connection_);
    if (check == Check::stored_first) {
        const auto already = writer_->stored_already(*connection_, result.group, leaves_.calendar());
        take_back(result.group);
        for (const auto& row : already) remember(row);
        result.group = plan(requests);
        if (result.group.rows.empty()) {
            result.fate = GroupFate::committed;
            writer_->roll_back(*connection_);
            return;
        }
    }
    result.first = writer_->write(*connection_, result.group, leaves_.calendar(), result.received);
}

}  // namespace catenary::server
