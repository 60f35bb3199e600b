#include "server/lanes/snapshot_restore.hpp"

#include "api/documents/pattern_document.hpp"
#include "server/ingest/pq_values.hpp"
#include "server/lanes/snapshot_store.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <stdexcept>
#include <utility>

namespace catenary::server {
namespace {

constexpr const char* done_sql = "SELECT l.id, l.done, g.next_position FROM lane l CROSS JOIN log g";
constexpr const char* patterns_sql = "SELECT document, version, mode FROM pattern_version WHERE position <= $1";

struct LogEnd {
    engine::Position next;
    std::map<std::int16_t, engine::Position> done;
};

LogEnd log_end(PqConnection& session) {
    const auto rows = session.query(done_sql);
    LogEnd end;
    for (int row = 0; row < rows.rows(); ++row) {
        end.done[rows.int2(row, 0)] = engine::Position{rows.int8(row, 1)};
        end.next = engine::Position{rows.int8(row, 2)};
    }
    return end;
}

/// The patterns that tenants brought in until then. One that this version cannot read any more is left out: a state that needs it will be refused.
engine::Catalogue posted_patterns(PqConnection& session, engine::Position until) {
    const std::vector<PqParameter> parameters{int8_value(until.value())};
    const auto rows = session.query(patterns_sql, parameters);
    engine::Catalogue patterns;
    for (int row = 0; row < rows.rows(); ++row) {
        const auto mode = api::documents::mode_from(rows.text(row, 2)).value_or(engine::Mode::off);
        try {
            patterns.push_back(
                std::make_shared<const engine::Pattern>(api::documents::stored_pattern(std::string{rows.text(row, 0)}, rows.int4(row, 1), mode)));
        } catch (const std::exception& error) {
            spdlog::warn("event=stored_pattern_unreadable reason=\"{}\"", error.what());
        }
    }
    return patterns;
}

/// Before its bytes are read. A database that was set back may have snapshots of what it does not know any more.
void check(const StoredSnapshot& snapshot, const engine::Catalogue& shipped, const LogEnd& end) {
    if (snapshot.engine != engine::Lane::version()) throw SnapshotUnreadable{fmt::format("it was made by version {}", snapshot.engine)};
    if (snapshot.catalogue != engine::catalogue_hash(shipped)) throw SnapshotUnreadable{"other patterns shipped when it was made"};
    if (snapshot.position >= end.next) throw SnapshotUnreadable{"it is newer than the log"};
    for (const auto& [number, lane] : snapshot.lanes) {
        const auto done = end.done.find(number);
        if (done == end.done.end() || done->second < lane.done) throw SnapshotUnreadable{fmt::format("it is newer than the results of lane {}", number)};
    }
}

RestoredLanes restored(PqConnection& session, const StoredSnapshot& snapshot, const engine::Catalogue& shipped) {
    auto set = SnapshotStore{session}.read(snapshot);
    const auto posted = posted_patterns(session, snapshot.position);
    RestoredLanes result;
    result.position = snapshot.position;
    result.bytes = snapshot.bytes();
    result.sources = std::move(set.sources);
    for (auto& [number, part] : set.lanes) {
        const auto state = std::exchange(part.state, {});  // given back before the next one is read
        auto lane = engine::Lane::load(shipped, posted, state);
        if (!lane) throw SnapshotUnreadable{fmt::format("the state of lane {} is refused: {}", number, lane.error().detail)};
        result.lanes.emplace(number, std::move(lane).value());
    }
    return result;
}

}  // namespace

Restoration restore_lanes(PqConnection& session, const engine::Catalogue& shipped) {
    Restoration result;
    const auto end = log_end(session);
    for (const auto& snapshot : SnapshotStore{session}.list()) {
        try {
            check(snapshot, shipped, end);
            result.restored = restored(session, snapshot, shipped);
            return result;
        } catch (const SnapshotUnreadable& reason) {
            spdlog::warn("event=snapshot_refused position={} reason=\"{}\"", snapshot.position.value(), reason.what());
            ++result.refused;
        }
    }
    return result;
}

}  // namespace catenary::server
