#include "engine/matching/group_matcher.hpp"
#include "engine/model/assert.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/places.hpp"

namespace catenary::engine {

// Entities are read as plain numbers: that of a pattern without a link is nobody's.
void ListedEntry::save(SnapshotWriter& out) const {
    out(time, signal, stages, late, completes, links.size());
    for (const Link& link : links) out(link.entity, link.counted);
}

void ListedEntry::load(SnapshotReader& in) {
    in(time, signal, stages, late, completes);
    for (std::size_t left = in.count(); left > 0; --left) {
        std::uint32_t entity = 0;
        StageMask counted = 0;
        in(entity, counted);
        links.push_back({EntityId{entity}, counted});
    }
}

void GroupMatcher::save(SnapshotWriter& out) const {
    CATENARY_ASSERT(changed_.empty() && deltas_.empty() && grown_.empty(), "what is saved was told");
    for (const auto& [entity, stretches] : stretches_) out.name(EntityId{entity});
    watch_.each([&](EntityId entity) { out.name(entity); });
    out(end_min_, watermark_, values_, candidates_, absences_, groups_, free_groups_, stretches_, aside_, given_up_, capped_, watch_);
}

void GroupMatcher::load(SnapshotReader& in) {
    in(end_min_, watermark_, values_, candidates_, absences_, groups_);
    std::vector<bool> used;
    for (const Group& group : groups_) used.push_back(group.alive);
    load_free_places(in, free_groups_, used);
    in(stretches_, aside_, given_up_, capped_, watch_);

    const auto require = SnapshotReader::require;
    require(watch_.is_sound(), "an entity waits twice to be looked at");
    const bool is_linked = plan_.pattern->link != LinkMode::none;
    for (const Group& group : groups_) {
        require(group.alive != group.entries.empty(), "a group has no signals");
        for (const ListedEntry& entry : group.entries) {
            require((entry.stages & ~plan_.all) == 0 && entry.stages != 0 && (entry.completes & ~entry.stages) == 0, "a signal serves an unknown stage");
            require(!entry.links.empty() && candidates_.holds(entry), "a signal of a group is no candidate");
            for (const ListedEntry::Link& link : entry.links) {
                if (is_linked) in.check(link.entity);
            }
        }
        for (const FindingRevision& finding : group.findings) {
            for (const StageEvidence& one : finding.evidence) require(one.stage < plan_.stages, "a signal serves an unknown stage");
            for (const LateAnswer& one : finding.late_answers) require(one.condition < plan_.pattern->absent.size(), "a condition is unknown");
        }
        require(group.alive || !group.decides_at, "what is not there waits");
        require(!group.by_chains || group.links.size() == group.findings.size(), "of a finding it is not said what links it");
        require(group.watched.size() <= plan_.pattern->absent.size(), "a condition is unknown");
        if (group.decides_at) deciding_.emplace(*group.decides_at, static_cast<GroupId>(&group - groups_.data()));
    }
    candidates_.each([&](const ListedEntry& entry) { absences_.hold(entry.signal); });
    for (const SignalHandle signal : aside_) absences_.hold(signal);
    for (const auto& [entity, stretches] : stretches_) {
        for (const Stretch& one : stretches) require(one.group < groups_.size() && groups_[one.group].alive, "a stretch is of no group");
    }
    std::size_t grouped = 0;
    for (GroupId id = 0; id < groups_.size(); ++id) {
        const std::vector<ListedEntry>& entries = groups_[id].entries;
        grouped += entries.size();
        for (std::size_t i = 0; i < entries.size(); ++i) {
            require(i == 0 || window_.before(entries[i - 1].signal, entries[i].signal), "signals are out of order");
            require(group_of(entries[i]) == id, "a signal is in another group than its entity");
        }
    }
    require(grouped == candidates_.held(), "a signal that is held is in no group");
    for (Group& group : groups_) {
        if (group.by_chains) number_sets(group);
    }
}

}  // namespace catenary::engine
