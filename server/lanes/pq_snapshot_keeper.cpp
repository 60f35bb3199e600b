#include "server/lanes/pq_snapshot_keeper.hpp"

#include "server/lanes/pq_snapshot_store.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <exception>
#include <utility>

namespace catenary::server {
namespace {

// A chunk takes far less; a process that stands still in the middle must not hold the rows for ever.
constexpr const char* settings_sql = "SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'";

}  // namespace

PqSnapshotKeeper::~PqSnapshotKeeper() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

void PqSnapshotKeeper::keep(SnapshotSet set) {
    if (thread_.joinable()) thread_.join();
    busy_ = true;
    thread_ = std::thread{[this, set = std::move(set)] {
        store(set);
        busy_ = false;
    }};
}

void PqSnapshotKeeper::store(const SnapshotSet& set) {
    const auto begin = std::chrono::steady_clock::now();
    try {
        PqConnection session{dsn_};
        session.run(settings_sql);
        PqSnapshotStore store{session, chunk_bytes_};
        if (store.write(set, keep_, [this] { return stopping_.load(); }) != SnapshotStore::Stored::yes) return;
    } catch (const std::exception& error) {
        spdlog::warn("event=snapshot_not_stored position={} reason=\"{}\"", set.position.value(), error.what());
        board_.update([](LeaderStatus& status) { ++status.snapshots.failed; });
        return;
    }
    std::int64_t bytes = 0;
    for (const auto& [number, lane] : set.lanes) bytes += static_cast<std::int64_t>(lane.state.size());
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
    board_.update([&](LeaderStatus& status) {
        ++status.snapshots.stored;
        status.snapshots.position = set.position;
        status.snapshots.bytes = bytes;
        status.snapshots.storing = took;
    });
    spdlog::info("event=snapshot_stored position={} bytes={} seconds={:.3f}", set.position.value(), bytes, std::chrono::duration<double>(took).count());
}

}  // namespace catenary::server
