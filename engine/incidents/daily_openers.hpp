#pragma once

#include "engine/incidents/finding_order.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace catenary::engine {

/// The findings that open groups of their own, by pattern and the event day on which they start. Of one pattern and day the first `limit` in (start, id) order
/// stand alone; those beyond are listed together, in one aggregate: however much an attacker makes a pattern find, a day has a bounded number of incidents of it.
class DailyOpeners {
public:
    static constexpr std::size_t usual_limit = 10'000;

    /// The day is one of UTC.
    struct Key {
        std::string pattern;
        std::chrono::sys_days day;
        Key(std::string pattern_id, Timestamp start) : pattern{std::move(pattern_id)}, day{std::chrono::floor<std::chrono::days>(start)} {}
        friend bool operator<(const Key& left, const Key& right) { return std::tie(left.day, left.pattern) < std::tie(right.day, right.pattern); }
    };

    std::size_t limit() const { return limit_; }
    /// Returns the findings that stand on the other side of the limit now.
    std::vector<FindingIndex> change_limit(std::size_t limit);

    /// A finding opens a group, or takes the place back that was kept for it. Returns the finding that has moved beyond the limit for it, if any.
    std::optional<FindingIndex> add(const Key& key, const FindingOrder& order, FindingIndex finding);
    /// It does not any more, nor is a place kept; does nothing where neither was so. Returns the finding that stands alone from now on, if any.
    std::optional<FindingIndex> remove(const Key& key, const FindingOrder& order);
    /// The finding is gone, its incident is not: the place still counts. It must have opened a group.
    void keep_place(const Key& key, const FindingOrder& order);
    /// Whether what opens a group there has no place among the first.
    bool is_beyond(const Key& key, const FindingOrder& order) const;

    /// The group of those beyond, while there is one.
    std::optional<GroupIndex> aggregate(const Key& key) const;
    void set_aggregate(const Key& key, std::optional<GroupIndex> group);

    /// Drops the places kept for days that were over before `cutoff`, where no finding is left.
    void forget(Timestamp cutoff);
    std::size_t bytes() const;

    /// The limit and the places kept; what findings open they say again.
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);

private:
    using Places = std::map<FindingOrder, std::optional<FindingIndex>>;  // empty: a place kept
    struct Day {
        Places first;   // at most the limit
        Places beyond;  // none while `first` has room
        std::size_t kept = 0;
        std::optional<GroupIndex> aggregate;
    };

    std::map<Key, Day> days_;
    std::size_t places_ = 0;  // of all days
    std::size_t limit_ = usual_limit;
};

}  // namespace catenary::engine
