#include "engine/incidents/grouping.hpp"
#include "engine/model/assert.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/places.hpp"

namespace catenary::engine {

void Grouping::save(SnapshotWriter& out) const {
    CATENARY_ASSERT(open_.empty() && origins_.empty(), "what is saved is settled");
    out(openers_, groups_.size());
    for (const Group& group : groups_) out(group.beside_another);
    out(emptied_, free_groups_, nodes_.size());
    for (const Node& node : nodes_) {
        out(node.present);
        if (node.present) out(node);
    }
}

void Grouping::load(SnapshotReader& in) {
    in(openers_);
    for (std::size_t left = in.count(); left > 0; --left) in(groups_.emplace_back().beside_another);
    in.places().groups = groups_.size();
    in(emptied_, free_groups_);
    for (std::size_t left = in.count(); left > 0; --left) {
        Node& node = nodes_.emplace_back();
        in(node.present);
        if (!node.present) continue;
        const FindingIndex finding{static_cast<std::uint32_t>(nodes_.size() - 1)};
        in.check(finding);
        in(node);
        SnapshotReader::require(node.group.has_value(), "a finding is in no group");
        const bool is_new = group(*node.group).members.emplace(node.order, finding).second;
        SnapshotReader::require(is_new, "two findings are the same");
        count_in(*node.group, node);
        SnapshotReader::require(!node.opens || !node.hand, "a finding that was placed by hand is counted");
        if (node.opens) openers_.add(node.day(), node.order, finding);
        if (node.hand) hands_[*node.hand].emplace(node.order, finding);
        for (const GroupIndex index : node.refused_by) group(index).refused.emplace(node.order, finding);
    }
    std::vector<bool> free(groups_.size());
    for (const std::uint32_t place : free_groups_) {
        SnapshotReader::require(place < groups_.size() && !free[place] && groups_[place].members.empty(), "a group is both free and used");
        free[place] = true;
    }
    for (const GroupIndex index : emptied_) SnapshotReader::require(!free[index.value()], "an empty group is free already");
    for (FindingIndex finding{0}; finding.value() < nodes_.size(); finding = FindingIndex{finding.value() + 1}) {
        if (contains(finding)) load_aggregated(finding);
        for (const auto& [other, shared] : node(finding).near) {
            SnapshotReader::require(other != finding && contains(other) && shared > 0, "a finding is near an unknown one");
            const auto back = node(other).near.find(finding);
            SnapshotReader::require(back != node(other).near.end() && back->second == shared, "a finding is near one that is not near it");
        }
        for (const GroupIndex index : node(finding).refused_by) SnapshotReader::require(!free[index.value()], "a finding was refused by an unknown group");
    }
}

/// Groups refer to their day, and days to their aggregate.
void Grouping::load_aggregated(FindingIndex finding) {
    const Node& self = node(finding);
    SnapshotReader::require(self.aggregated == (self.opens && openers_.is_beyond(self.day(), self.order)), "an aggregate has what is not beyond the limit");
    SnapshotReader::require(self.aggregated == is_aggregate(*self.group), "an aggregate has what stands alone");
    if (!self.aggregated) return;
    const auto known = openers_.aggregate(self.day());
    SnapshotReader::require(!known || known == self.group, "a day has two aggregates");
    Group& own = group(*self.group);
    SnapshotReader::require(!own.aggregate_of || !(self.day() < *own.aggregate_of || *own.aggregate_of < self.day()), "an aggregate is of two days");
    own.aggregate_of = self.day();
    openers_.set_aggregate(self.day(), self.group);
}

}  // namespace catenary::engine
