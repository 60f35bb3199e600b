#include "server/ingest/leaves.hpp"

#include "server/ingest/pq_connection.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <stdexcept>

namespace catenary::server {
namespace {

std::chrono::year_month_day date(Day day) { return std::chrono::sys_days{std::chrono::days{day}}; }
Day day(std::chrono::year_month_day date) { return static_cast<Day>(std::chrono::sys_days{date}.time_since_epoch().count()); }

constexpr const char* calendar_sql = "SELECT daily_from - DATE '1970-01-01' FROM layout";

}  // namespace

std::string sql_time(Day of) {
    const auto first = date(of);
    return fmt::format("TIMESTAMPTZ '{:04}-{:02}-{:02} 00:00:00+00'", static_cast<int>(first.year()), static_cast<unsigned>(first.month()),
                       static_cast<unsigned>(first.day()));
}

LeafCalendar LeafCalendar::load(PqConnection& connection) { return LeafCalendar{static_cast<Day>(connection.run(calendar_sql).number(0, 0))}; }

Day LeafCalendar::leaf_of(Day of) const {
    if (of >= daily_from_) return of;
    return day(date(of).year() / std::chrono::January / 1);
}

Day LeafCalendar::end_of(Day leaf) const {
    if (leaf >= daily_from_) return leaf + 1;
    return day((date(leaf).year() + std::chrono::years{1}) / std::chrono::January / 1);
}

std::string LeafCalendar::table(Day leaf) const {
    const auto first = date(leaf);
    if (leaf < daily_from_) return fmt::format("signal_y{:04}", static_cast<int>(first.year()));
    return fmt::format("signal_d{:04}{:02}{:02}", static_cast<int>(first.year()), static_cast<unsigned>(first.month()), static_cast<unsigned>(first.day()));
}

Day LeafCalendar::leaf_named(const std::string& table) {
    int year = 0;
    unsigned month = 1;
    unsigned day_of_month = 1;
    int used = 0;
    const bool daily = std::sscanf(table.c_str(), "signal_d%4d%2u%2u%n", &year, &month, &day_of_month, &used) == 3;
    if (!daily && std::sscanf(table.c_str(), "signal_y%4d%n", &year, &used) != 1) throw std::invalid_argument("not the name of a leaf: " + table);
    const std::chrono::year_month_day first{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day_of_month}};
    if (static_cast<std::size_t>(used) != table.size() || !first.ok()) throw std::invalid_argument("not the name of a leaf: " + table);
    return day(first);
}

Day LeafCalendar::first_day() { return day(std::chrono::year{1990} / std::chrono::January / 1); }

void Leaves::load() {
    calendar_ = store_.calendar();
    known_ = store_.leaves();
    ahead_of_ = -1;
}

void Leaves::ensure(std::span<const Day> leaves) {
    for (const auto leaf : leaves) {
        if (exists(leaf)) continue;
        store_.make_leaf(leaf);
        known_.insert(leaf);
    }
}

void Leaves::ensure_ahead(engine::Timestamp now) {
    const auto today = day_of(now);
    if (today == ahead_of_) return;
    const std::array leaves{calendar_.leaf_of(today), calendar_.leaf_of(today + 1), calendar_.leaf_of(today + 2)};
    ensure(leaves);
    ahead_of_ = today;
}

}  // namespace catenary::server
