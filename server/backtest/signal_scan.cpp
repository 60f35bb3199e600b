#include "server/backtest/signal_scan.hpp"

#include "server/ingest/layout.hpp"
#include "server/ingest/pq_values.hpp"
#include "server/lanes/wanted_definitions.hpp"
#include "server/pg/sql_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace catenary::server {
namespace {

constexpr std::size_t rows_at_once = 4'000;
constexpr std::size_t most_named_definitions = 20'000;

std::string definitions_condition(PqConnection& connection, engine::TenantId tenant, const engine::Pattern& pattern) {
    const auto wanted = wanted_definitions(connection, tenant, pattern, most_named_definitions);
    return wanted ? fmt::format(" AND def = ANY ('{{{}}}'::int4[])", fmt::join(*wanted, ",")) : std::string{};
}

/// The least key that a signal of this day or a later one has.
std::string least_key(Day day) { return fmt::format("'{:016x}{:016x}'::uuid", static_cast<std::uint64_t>(day) * 86'400'000U << 16U, 0); }

}  // namespace

SignalScan::SignalScan(PqConnection& connection, Interrupt& interrupt, engine::TenantId tenant, engine::Timestamp from, engine::Timestamp to,
                       const engine::Pattern& pattern)
    : connection_{connection},
      interrupt_{interrupt},
      tenant_{tenant},
      from_{from},
      to_{to},
      end_{connection.run("SELECT next_position FROM log").text(0, 0)},
      definitions_{definitions_condition(connection, tenant, pattern)} {}

std::string SignalScan::condition(Day first, Day end) const {
    return fmt::format("time >= {} AND time < {} AND time >= TIMESTAMPTZ '{}' AND time <= TIMESTAMPTZ '{}' AND tenant = {} AND position < {}", sql_time(first),
                       sql_time(end), pg::timestamp_text(from_), pg::timestamp_text(to_), tenant_.value(), end_);
}

std::string SignalScan::late_keys(Day day) const {
    return fmt::format("FROM late_signal l WHERE l.tenant = {} AND l.key >= {} AND l.key < {}", tenant_.value(), least_key(day), least_key(day + 1));
}

std::vector<SignalScan::DayOfSignals> SignalScan::days() {
    const auto calendar = LeafCalendar::load(connection_);
    std::vector<DayOfSignals> days;
    for (const auto leaf : load_leaves(connection_)) {
        const auto end = calendar.end_of(leaf);
        if (start_of(leaf) > to_ || start_of(end) <= from_) continue;
        interrupt_.throw_if_asked();
        const Interrupt::Scope scope{interrupt_, connection_};
        if (end == leaf + 1) {
            const auto count = connection_.run(fmt::format("SELECT count(*) FROM signal WHERE {}", condition(leaf, end))).number(0, 0);
            if (count > 0) days.push_back({leaf, count});
            continue;
        }
        const auto rows = connection_.run(
            fmt::format("SELECT date_trunc('day', time)::date - DATE '1970-01-01', count(*) FROM signal WHERE {} GROUP BY 1 ORDER BY 1", condition(leaf, end)));
        for (int row = 0; row < rows.rows(); ++row) days.push_back({static_cast<Day>(rows.number(row, 0)), rows.number(row, 1)});
    }
    return days;
}

bool SignalScan::has_late(Day day) { return connection_.run(fmt::format("SELECT EXISTS (SELECT {})", late_keys(day))).text(0, 0) == "t"; }

void SignalScan::read(Day day, Late late, const Take& take) {
    interrupt_.throw_if_asked();
    const Interrupt::Scope scope{interrupt_, connection_};
    connection_.copy_out(
        fmt::format("COPY (SELECT {} FROM signal WHERE {}{} AND {} (SELECT {} AND l.key = signal.key) ORDER BY time, position) "
                    "TO STDOUT (FORMAT binary)",
                    stored_columns(), condition(day, day + 1), definitions_, late == Late::yes ? "EXISTS" : "NOT EXISTS", late_keys(day)));
    std::string bytes;
    std::vector<std::pair<std::size_t, std::size_t>> tuples;  // (begin, length)
    std::vector<StoredRow> rows;
    const auto pass_on = [&] {
        rows.clear();
        for (const auto& [begin, length] : tuples) rows.push_back(stored_row(std::string_view{bytes}.substr(begin, length)));
        take(rows);
        tuples.clear();
        bytes.clear();
        interrupt_.throw_if_asked();
    };
    bool header = true;
    for (auto row = connection_.copy_row(); !row.empty(); row = connection_.copy_row()) {
        const auto skip = std::exchange(header, false) ? copy_header_bytes : std::size_t{0};
        if (row.bytes().size() < skip + sizeof(std::int64_t)) continue;  // the trailer
        const auto tuple = row.bytes().substr(skip);
        tuples.emplace_back(bytes.size(), tuple.size());
        bytes.append(tuple);
        if (tuples.size() == rows_at_once) pass_on();
    }
    if (!tuples.empty()) pass_on();
}

}  // namespace catenary::server
