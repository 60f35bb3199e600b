#pragma once

#include "engine/model/time.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <set>
#include <span>
#include <string>

namespace catenary::server {

class PqConnection;

/// Days since 1970-01-01; a leaf is named by its first one.
using Day = std::int32_t;
constexpr Day day_of(engine::Timestamp time) { return static_cast<Day>(engine::event_day(time).time_since_epoch().count()); }
constexpr engine::Timestamp start_of(Day day) { return engine::Timestamp{std::chrono::sys_days{std::chrono::days{day}}}; }

/// The start of a day as a constant of SQL, so that leaves are chosen when a statement is planned.
std::string sql_time(Day day);

/// Which leaf of `signal` holds a day: yearly ones before `daily_from`, daily ones from then on; fixed when the database was made (table layout).
class LeafCalendar {
public:
    explicit LeafCalendar(Day daily_from = 0) : daily_from_{daily_from} {}
    static LeafCalendar load(PqConnection& connection);

    Day leaf_of(Day day) const;
    /// First day after the leaf.
    Day end_of(Day leaf) const;
    /// The table's name, as the database's own leaf_name gives it.
    std::string table(Day leaf) const;
    /// The leaf of a table name; throws std::invalid_argument on any other name.
    static Day leaf_named(const std::string& table);
    /// Signals before this day have no leaf.
    static Day first_day();

private:
    Day daily_from_;
};

/// Where leaves are. Throws PqError. One thread.
class LeafStore {
public:
    virtual ~LeafStore() = default;
    virtual LeafCalendar calendar() = 0;
    virtual std::set<Day> leaves() = 0;
    /// Makes it unless it is there, whatever transaction is open.
    virtual void make_leaf(Day leaf) = 0;
};

/// The leaves that exist, as far as we know. One thread.
class Leaves {
public:
    /// `store` outlives this.
    explicit Leaves(LeafStore& store) : store_{store} {}

    /// Reads calendar and leaves. Throws PqError.
    void load();
    const LeafCalendar& calendar() const { return calendar_; }
    const std::set<Day>& all() const { return known_; }
    bool exists(Day leaf) const { return known_.contains(leaf); }
    /// Signals of days before this one are not taken in.
    Day first_taken() const { return first_taken_; }
    void take_from(Day day) { first_taken_ = std::max(day, LeafCalendar::first_day()); }
    /// Makes those that are missing. Throws PqError; what was made until then stays made.
    void ensure(std::span<const Day> leaves);
    /// Today's leaf and those of the next two days; does nothing when called again on the same day.
    void ensure_ahead(engine::Timestamp now);

private:
    LeafStore& store_;
    LeafCalendar calendar_;
    std::set<Day> known_;
    Day ahead_of_ = -1;
    Day first_taken_ = LeafCalendar::first_day();
};

}  // namespace catenary::server
