#include "server/pipeline.hpp"

#include "api/catalogue/shipped_patterns.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace catenary::server {
namespace {

constexpr std::int64_t busy_lag = 20'000;

engine::Catalogue shipped_catalogue() {
    engine::Catalogue catalogue;
    for (const auto& shipped : api::catalogue::shipped_patterns()) catalogue.push_back(shipped.pattern);
    return catalogue;
}

LaneWorkerOptions lane_options(const config::Settings& settings, const pg::Database& database) {
    return {.dsn = database.dsn(pg::Role::lane),
            .owner = process_name(),
            .silence = settings.leader_timeout,
            .snapshot_entries = static_cast<std::int64_t>(settings.snapshot_entries)};
}

std::unique_ptr<pg::StorageRoom> storage_room(pg::Database& database) {
    if (database.cluster() == nullptr) return nullptr;
    return std::make_unique<pg::StorageRoom>(pg::StorageRoomOptions{.cluster = database.cluster()->folder()});
}

CommitterOptions committer_options(const config::Settings& settings, const pg::Database& database, const pg::StorageRoom* room,
                                   const pg::LeafRetention& retention) {
    CommitterOptions options{.dsn = database.dsn(pg::Role::ingest), .dedup_bytes = settings.dedup_bytes};
    options.first_kept = [&retention] { return retention.first_kept(); };
    if (room != nullptr) options.shortage = [room] { return room->shortage(); };
    return options;
}

}  // namespace

engine::Timestamp wall_clock() { return std::chrono::floor<engine::Duration>(std::chrono::system_clock::now()); }

std::string process_name() {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    return fmt::format("{} pid {}", host.data(), ::getpid());
}

Pipeline::Pipeline(const config::Settings& settings, pg::Database& database)
    : room{storage_room(database)},
      lanes{lane_options(settings, database), shipped_catalogue(), &wall_clock, watermarks, sources, hand_off, progress},
      retention{{.dsn = database.dsn(pg::Role::ingest), .days = settings.retention_days}},
      committer{committer_options(settings, database, room.get(), retention), &wall_clock, watermarks, sources, hand_off},
      sealer{{.dsn = database.dsn(pg::Role::ingest)}},
      backtests{{.dsn = database.dsn(pg::Role::lane), .is_busy = [this] { return is_busy(); }}},
      most_lag_{static_cast<std::int64_t>(settings.most_lag)} {
    if (room) room->start();
    retention.start();
    lanes.start();
    committer.start();
    sealer.start();
    backtests.start();
}

void Pipeline::stop() {
    backtests.stop();
    sealer.stop();
    retention.stop();
    committer.stop();
    lanes.stop();
    if (room) room->stop();
}

std::optional<std::string> Pipeline::not_ready() const {
    if (const auto ingest = committer.status().text(); ingest != "running") return "ingest is " + ingest;
    if (!lanes.ready()) return "correlation is " + lanes.status().text();
    return {};
}

std::int64_t Pipeline::lag() const { return std::max<std::int64_t>(0, committer.status().last.value() - lanes.status().reached.value()); }

std::optional<std::string> Pipeline::stalled() const {
    const auto behind = most_lag_ == 0 ? 0 : lag();
    if (behind <= most_lag_) return {};
    return fmt::format("correlation is {} signals behind ({}), --max-lag is {}: nothing was stored, send it again later", behind, lanes.status().text(),
                       most_lag_);
}

bool Pipeline::is_busy() const { return committer.status().waiting_items > 0 || lag() > busy_lag; }

}  // namespace catenary::server
