#pragma once

#include "engine/incidents/finding.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <deque>
#include <optional>
#include <vector>

namespace catenary::engine {

/// The findings of a tenant that are in memory, by place, by id, and by the id under which a matcher reports about them.
class FindingTable {
public:
    FindingIndex add(Finding finding);
    void erase(FindingIndex index);

    Finding& operator[](FindingIndex index) { return *places_[index.value()]; }
    const Finding& operator[](FindingIndex index) const { return *places_[index.value()]; }
    bool contains(FindingIndex index) const { return index.value() < places_.size() && places_[index.value()].has_value(); }

    /// The finding of that id, which no other has.
    std::optional<FindingIndex> with_id(const FindingId& id) const;
    /// The finding that takes what a matcher reports about `matched_as`.
    std::optional<FindingIndex> reported(const FindingId& matched_as) const;
    /// From now on `index` takes it.
    void report_to(const FindingId& matched_as, FindingIndex index) { reported_.insert_or_assign(matched_as, index); }
    void stop_reports(const FindingId& matched_as) { reported_.erase(matched_as); }

    /// In memory, by place.
    std::vector<FindingIndex> all() const;
    std::size_t size() const { return places_.size() - free_.size(); }

    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in, const HeldSignals& held, const Dictionary& dictionary);

private:
    std::deque<std::optional<Finding>> places_;  // a deque: references stay valid while others are added
    std::vector<std::uint32_t> free_;
    boost::unordered_flat_map<FindingId, FindingIndex, FindingIdHash> by_id_;
    boost::unordered_flat_map<FindingId, FindingIndex, FindingIdHash> reported_;
};

}  // namespace catenary::engine
