#include "server/lanes/pq_snapshot_store.hpp"

#include "server/ingest/pq_values.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

namespace catenary::server {
namespace {

constexpr Oid bytea_type = 17;
constexpr Oid text_type = 25;

constexpr const char* insert_sql =
    "INSERT INTO snapshot (position, lane, done, lanes, engine, catalogue, bytes, chunks, sha256) "
    "VALUES ($1, $2::int4::int2, $3, $4::int4::int2, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING position";
constexpr const char* insert_chunk_sql = "INSERT INTO snapshot_chunk (position, lane, number, bytes, content) VALUES ($1, $2::int4::int2, $3, $4, $5)";
constexpr const char* insert_sources_sql =
    "INSERT INTO snapshot_source (position, tenant, source, domain, last_event, last_received) "
    "SELECT $1, s.tenant, s.source, s.domain, 'epoch'::timestamptz + s.event * interval '1 microsecond', "
    "       'epoch'::timestamptz + s.received * interval '1 microsecond' "
    "FROM unnest($2::int4[], $3::text[], $4::text[], $5::int8[], $6::int8[]) AS s(tenant, source, domain, event, received)";
constexpr const char* drop_sql = "DELETE FROM snapshot WHERE position NOT IN (SELECT DISTINCT position FROM snapshot ORDER BY position DESC LIMIT $1)";
constexpr const char* drop_sources_sql = "DELETE FROM snapshot_source WHERE position NOT IN (SELECT position FROM snapshot)";
constexpr const char* list_sql = "SELECT position, lane, done, lanes, engine, catalogue, bytes, chunks, sha256 FROM snapshot ORDER BY position DESC, lane";
constexpr const char* chunk_sql = "SELECT bytes, content FROM snapshot_chunk WHERE position = $1 AND lane = $2::int4::int2 AND number = $3";
constexpr const char* done_sql = "SELECT l.id, l.done, g.next_position FROM lane l CROSS JOIN log g";
constexpr const char* patterns_sql = "SELECT document, version, mode FROM pattern_version WHERE position <= $1";
constexpr const char* sources_sql = "SELECT tenant, source, domain, last_event, last_received FROM snapshot_source WHERE position = $1";

PqParameter text_value(std::string text) { return {text_type, std::move(text)}; }
PqParameter bytes_value(std::string bytes) { return {bytea_type, std::move(bytes)}; }

std::string sha256_of(std::string_view bytes) {
    std::string hash(crypto_hash_sha256_BYTES, '\0');
    crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    return hash;
}

}  // namespace

std::int64_t StoredSnapshot::bytes() const {
    std::int64_t all = 0;
    for (const auto& [number, lane] : lanes) all += lane.bytes;
    return all;
}

PqSnapshotStore::Stored PqSnapshotStore::write(const SnapshotSet& set, int keep, const std::function<bool()>& stopping) {
    session_.run("BEGIN");
    for (const auto& [number, lane] : set.lanes) {
        const auto chunks = (lane.state.size() + chunk_bytes_ - 1) / chunk_bytes_;
        const std::vector<PqParameter> parameters{int8_value(set.position.value()),
                                                  int4_value(number),
                                                  int8_value(lane.done.value()),
                                                  int4_value(static_cast<std::int32_t>(set.lanes.size())),
                                                  text_value(set.engine),
                                                  text_value(set.catalogue),
                                                  int8_value(static_cast<std::int64_t>(lane.state.size())),
                                                  int4_value(static_cast<std::int32_t>(chunks)),
                                                  bytes_value(sha256_of(lane.state))};
        const bool is_known = session_.query(insert_sql, parameters).rows() == 0;
        if (is_known || !write_lane(set, number, stopping)) {
            session_.run("ROLLBACK");
            return is_known ? Stored::known : Stored::stopped;
        }
    }
    write_sources(set);
    const std::vector<PqParameter> kept{int8_value(keep)};
    session_.query(drop_sql, kept);
    session_.run(drop_sources_sql);
    session_.run("COMMIT");
    return Stored::yes;
}

/// False when it was stopped.
bool PqSnapshotStore::write_lane(const SnapshotSet& set, std::int16_t lane, const std::function<bool()>& stopping) {
    const std::string_view state = set.lanes.at(lane).state;
    for (std::size_t begin = 0; begin < state.size(); begin += chunk_bytes_) {
        if (stopping()) return false;
        const auto bytes = state.substr(begin, chunk_bytes_);
        const std::vector<PqParameter> parameters{int8_value(set.position.value()), int4_value(lane),
                                                  int4_value(static_cast<std::int32_t>(begin / chunk_bytes_)),
                                                  int4_value(static_cast<std::int32_t>(bytes.size())), bytes_value(packed_chunk(bytes))};
        session_.query(insert_chunk_sql, parameters);
    }
    return true;
}

void PqSnapshotStore::write_sources(const SnapshotSet& set) {
    std::vector<std::int32_t> tenants;
    std::vector<std::string_view> sources;
    std::vector<std::string_view> domains;
    std::vector<std::int64_t> events;
    std::vector<std::int64_t> received;
    for (const auto& one : set.sources) {
        tenants.push_back(one.tenant.value());
        sources.push_back(one.source);
        domains.push_back(one.domain);
        events.push_back(engine::to_micros(one.last_event));
        received.push_back(engine::to_micros(one.last_received));
    }
    const std::vector<PqParameter> parameters{
        int8_value(set.position.value()), int4_array(tenants), text_array(sources), text_array(domains), int8_array(events), int8_array(received)};
    session_.query(insert_sources_sql, parameters);
}

std::vector<StoredSnapshot> PqSnapshotStore::list() {
    const auto rows = session_.query(list_sql);
    std::vector<StoredSnapshot> snapshots;
    for (int row = 0; row < rows.rows(); ++row) {
        const engine::Position position{rows.int8(row, 0)};
        if (snapshots.empty() || snapshots.back().position != position) {
            auto& snapshot = snapshots.emplace_back();
            snapshot.position = position;
            snapshot.lane_count = rows.int2(row, 3);
            snapshot.engine = rows.text(row, 4);
            snapshot.catalogue = rows.text(row, 5);
        }
        snapshots.back().lanes[rows.int2(row, 1)] = {engine::Position{rows.int8(row, 2)}, rows.int8(row, 6), rows.int4(row, 7), std::string{rows.text(row, 8)}};
    }
    return snapshots;
}

SnapshotSet PqSnapshotStore::read(const StoredSnapshot& snapshot) {
    if (static_cast<std::size_t>(snapshot.lane_count) != snapshot.lanes.size()) {
        throw SnapshotUnreadable{fmt::format("{} of its {} lanes are there", snapshot.lanes.size(), snapshot.lane_count)};
    }
    SnapshotSet set;
    set.position = snapshot.position;
    set.engine = snapshot.engine;
    set.catalogue = snapshot.catalogue;
    for (const auto& [number, lane] : snapshot.lanes) set.lanes[number] = {lane.done, read_state(snapshot, number)};
    set.sources = read_sources(snapshot.position);
    return set;
}

std::string PqSnapshotStore::read_state(const StoredSnapshot& snapshot, std::int16_t lane) {
    const auto& known = snapshot.lanes.at(lane);
    std::string state;
    for (std::int32_t number = 0; number < known.chunks; ++number) {
        const std::vector<PqParameter> parameters{int8_value(snapshot.position.value()), int4_value(lane), int4_value(number)};
        const auto rows = session_.query(chunk_sql, parameters);
        if (rows.rows() == 0) throw SnapshotUnreadable{fmt::format("chunk {} of lane {} is missing", number, lane)};
        const auto bytes = unpacked_chunk(rows.text(0, 1), static_cast<std::size_t>(std::max(rows.int4(0, 0), 0)));
        if (!bytes) throw SnapshotUnreadable{fmt::format("chunk {} of lane {} cannot be unpacked", number, lane)};
        state += *bytes;
    }
    if (static_cast<std::int64_t>(state.size()) != known.bytes || sha256_of(state) != known.sha256) {
        throw SnapshotUnreadable{fmt::format("the state of lane {} has another checksum", lane)};
    }
    return state;
}

std::vector<HeardSource> PqSnapshotStore::read_sources(engine::Position position) {
    const std::vector<PqParameter> parameters{int8_value(position.value())};
    const auto rows = session_.query(sources_sql, parameters);
    std::vector<HeardSource> sources;
    for (int row = 0; row < rows.rows(); ++row) {
        sources.push_back({engine::TenantId{rows.int4(row, 0)}, std::string{rows.text(row, 1)}, std::string{rows.text(row, 2)},
                           from_postgres(rows.int8(row, 3)), from_postgres(rows.int8(row, 4))});
    }
    return sources;
}

LogEnd PqSnapshotStore::log_end() {
    const auto rows = session_.query(done_sql);
    LogEnd end;
    for (int row = 0; row < rows.rows(); ++row) {
        end.done[rows.int2(row, 0)] = engine::Position{rows.int8(row, 1)};
        end.next = engine::Position{rows.int8(row, 2)};
    }
    return end;
}

std::vector<PostedPattern> PqSnapshotStore::posted_patterns(engine::Position until) {
    const std::vector<PqParameter> parameters{int8_value(until.value())};
    const auto rows = session_.query(patterns_sql, parameters);
    std::vector<PostedPattern> patterns;
    for (int row = 0; row < rows.rows(); ++row) patterns.push_back({std::string{rows.text(row, 0)}, rows.int4(row, 1), std::string{rows.text(row, 2)}});
    return patterns;
}

}  // namespace catenary::server
