#include "server/lanes/snapshot_restore.hpp"

#include "api/documents/pattern_document.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <stdexcept>
#include <utility>

namespace catenary::server {
namespace {

/// The patterns that tenants brought in until then. One that this version cannot read any more is left out: a state that needs it will be refused.
engine::Catalogue posted_patterns(SnapshotStore& store, engine::Position until) {
    engine::Catalogue patterns;
    for (const auto& posted : store.posted_patterns(until)) {
        const auto mode = api::documents::mode_from(posted.mode).value_or(engine::Mode::off);
        try {
            patterns.push_back(std::make_shared<const engine::Pattern>(api::documents::stored_pattern(posted.document, posted.version, mode)));
        } catch (const std::exception& error) {
            spdlog::warn("event=stored_pattern_unreadable reason=\"{}\"", error.what());
        }
    }
    return patterns;
}

/// Before its bytes are read. A database that was set back may have snapshots of what it does not know any more.
void check(const StoredSnapshot& snapshot, const engine::Catalogue& shipped, const Origin& origin, const LogEnd& end) {
    if (snapshot.engine != engine::Lane::version()) throw SnapshotUnreadable{fmt::format("it was made by version {}", snapshot.engine)};
    if (snapshot.catalogue != engine::catalogue_hash(shipped)) throw SnapshotUnreadable{"other patterns shipped when it was made"};
    if (origin.made_by && snapshot.position < origin.made_by->since) throw SnapshotUnreadable{"results after it were made otherwise"};
    if (snapshot.position < origin.gone_until) throw SnapshotUnreadable{"signals after it are no longer stored"};
    if (snapshot.position >= end.next) throw SnapshotUnreadable{"it is newer than the log"};
    for (const auto& [number, lane] : snapshot.lanes) {
        const auto done = end.done.find(number);
        if (done == end.done.end() || done->second < lane.done) throw SnapshotUnreadable{fmt::format("it is newer than the results of lane {}", number)};
    }
}

RestoredLanes restored(SnapshotStore& store, const StoredSnapshot& snapshot, const engine::Catalogue& shipped) {
    auto set = store.read(snapshot);
    const auto posted = posted_patterns(store, snapshot.position);
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

Restoration restore_lanes(SnapshotStore& store, const engine::Catalogue& shipped, const Origin& origin) {
    Restoration result;
    const auto end = store.log_end();
    for (const auto& snapshot : store.list()) {
        try {
            check(snapshot, shipped, origin, end);
            result.restored = restored(store, snapshot, shipped);
            return result;
        } catch (const SnapshotUnreadable& reason) {
            spdlog::warn("event=snapshot_refused position={} reason=\"{}\"", snapshot.position.value(), reason.what());
            ++result.refused;
        }
    }
    return result;
}

}  // namespace catenary::server
