#include "server/lanes/pq_leadership.hpp"

#include "server/ingest/pq_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace catenary::server {
namespace {

constexpr const char* acquire_sql = "SELECT pg_try_advisory_lock(7094664)::int::int8";
constexpr const char* beat_sql = "UPDATE leader SET beat = clock_timestamp()";
constexpr const char* silent_sql = R"(
    SELECT l.pid::int8 FROM pg_locks l CROSS JOIN leader b
    WHERE l.locktype = 'advisory' AND l.classid = 0 AND l.objid = 7094664 AND l.granted
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND b.beat < clock_timestamp() - $1 * interval '1 millisecond')";
constexpr const char* owner_sql = "SELECT owner FROM lane ORDER BY epoch DESC, id LIMIT 1";
// One statement, so one snapshot. Of each lane the first batch that is not done whole; results may end in the middle of one.
constexpr const char* followed_sql = R"(
    SELECT l.id, l.done, g.next_position,
           (SELECT b.first FROM batch b
            WHERE b.lane = l.id AND b.last > l.done
              AND b.first >= coalesce((SELECT c.first FROM batch c WHERE c.lane = l.id AND c.first <= l.done ORDER BY c.first DESC LIMIT 1), 0)
            ORDER BY b.first LIMIT 1)
    FROM lane l CROSS JOIN log g)";

}  // namespace

bool PqLeadership::acquire() {
    if (!held_) held_ = session_.query(acquire_sql).int8(0, 0) == 1;
    return held_;
}

void PqLeadership::beat() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_beat_) return;
    session_.run(beat_sql);
    next_beat_ = now + silence_ / 4;
}

bool PqLeadership::end_silent_leader() {
    const std::vector<PqParameter> parameters{int8_value(silence_.count())};
    const auto silent = session_.query(silent_sql, parameters);
    if (silent.rows() == 0) return false;
    // As the role that both sessions logged in with: it may end its own sessions.
    session_.run("SET ROLE NONE");
    const bool ended = session_.run(fmt::format("SELECT pg_terminate_backend({})::int", silent.int8(0, 0))).number(0, 0) == 1;
    session_.run("RESET ROLE");
    return ended;
}

std::string PqLeadership::owner() { return std::string{session_.query(owner_sql).text(0, 0)}; }

Leadership::Followed PqLeadership::followed() {
    const auto rows = session_.query(followed_sql);
    Followed found;
    for (int row = 0; row < rows.rows(); ++row) {
        found.done.emplace(rows.int2(row, 0), engine::Position{rows.int8(row, 1)});
        const engine::Position undone{rows.is_null(row, 3) ? rows.int8(row, 2) : rows.int8(row, 3)};
        found.to = row == 0 ? undone : std::min(found.to, undone);
    }
    return found;
}

}  // namespace catenary::server
