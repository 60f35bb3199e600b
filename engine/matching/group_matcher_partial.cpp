#include "engine/matching/group_matcher.hpp"

#include <algorithm>
#include <map>

// What of a chain there is among signals whose chain is not whole.

namespace catenary::engine {

const GroupMatcher::Group* GroupMatcher::group_near(EntityId entity, Timestamp time) const {
    const auto place = stretches_.find(entity.value());
    if (place == stretches_.end()) return nullptr;
    const auto& stretches = place->second;
    const auto first = std::partition_point(stretches.begin(), stretches.end(), [&](const Stretch& one) { return one.last < time; });
    if (first == stretches.end() || !groups_[first->group].alive) return nullptr;
    return &groups_[first->group];
}

/// What is evidence of a finding has led somewhere.
std::vector<ListedEntry> GroupMatcher::unserved(const Group& group, std::optional<EntityId> entity, Timestamp from, Timestamp to) const {
    std::vector<SignalHandle> evidence;
    for (const FindingRevision& finding : group.findings) {
        for (const StageEvidence& one : finding.evidence) evidence.push_back(one.signal);
    }
    std::sort(evidence.begin(), evidence.end());
    std::vector<ListedEntry> listed;
    auto one = std::partition_point(group.entries.begin(), group.entries.end(), [&](const ListedEntry& entry) { return entry.time < from; });
    for (; one != group.entries.end() && one->time <= to; ++one) {
        if (std::binary_search(evidence.begin(), evidence.end(), one->signal)) continue;
        if (!entity) {
            listed.push_back(*one);
            continue;
        }
        const auto link = std::find_if(one->links.begin(), one->links.end(), [&](const ListedEntry::Link& of) { return of.entity == *entity; });
        if (link != one->links.end()) listed.push_back({one->time, one->signal, one->stages, one->late, {*link}});
    }
    return listed;
}

std::optional<Timestamp> GroupMatcher::look(EntityId entity, Timestamp from, Timestamp to, Timestamp watermark, std::vector<UnfinishedChain>& found) {
    const Group* group = group_near(entity, from);
    if (group == nullptr) return std::nullopt;
    const bool is_chain = plan_.pattern->link == LinkMode::chain;
    const auto listed = unserved(*group, is_chain ? std::nullopt : std::optional{entity}, from, watermark);
    work_ += listed.size();
    const auto begins_with = [&](SignalHandle signal) {
        const auto links = std::find_if(listed.begin(), listed.end(), [&](const ListedEntry& one) { return one.signal == signal; });
        return links != listed.end() && links->links.front().entity == entity;
    };
    std::optional<Timestamp> over;
    ChainWalk walk{plan_, window_, values_};
    walk.take(listed);
    for (UnfinishedChain& chain : walk.lacking_one(from, to)) {
        if (is_chain && !begins_with(chain.reached.front().signal)) continue;
        over = chain.start + plan_.within;
        found.push_back(std::move(chain));
        break;
    }
    const Timestamp after = over ? std::max(*over, to) : to;
    std::optional<Timestamp> next, last;
    for (const ListedEntry& one : group->entries) {
        if (one.time <= to || std::none_of(one.links.begin(), one.links.end(), [&](const ListedEntry::Link& link) { return link.entity == entity; })) continue;
        last = one.time;
        if (one.time > after && !next) next = one.time;
    }
    if (next || last) return next ? next : last;
    // Those of the entity that are too far from these to be in one group with them.
    const auto& stretches = stretches_.at(entity.value());
    const auto later = std::partition_point(stretches.begin(), stretches.end(), [&](const Stretch& one) { return one.first <= to; });
    return later == stretches.end() ? std::nullopt : std::optional{later->first};
}

std::vector<UnfinishedChain> GroupMatcher::judge(Timestamp watermark) {
    std::vector<UnfinishedChain> found;
    watch_.look(watermark, [&](EntityId entity, Timestamp from, Timestamp to) { return look(entity, from, to, watermark, found); });
    return found;
}

void GroupMatcher::work_out(const Group& group, PartialSearch& search) const {
    const Timestamp from = search.now < Timestamp::min() + plan_.within ? Timestamp::min() : search.now - plan_.within;
    const auto listed = unserved(group, std::nullopt, from, Timestamp::max());
    ChainWalk walk{plan_, window_, values_};
    walk.take(listed);
    for (UnfinishedChain& chain : walk.open_at(search.now)) {
        if (!search.entity || chain.entity == *search.entity) search.found.push_back(std::move(chain));
    }
}

void GroupMatcher::search(PartialSearch& search) const {
    if (!watch_.is_enabled()) return;
    if (search.entity) {
        const auto place = stretches_.find(search.entity->value());
        if (place == stretches_.end()) return;
        for (const Stretch& one : place->second) {
            const Group& group = groups_[one.group];
            if (group.alive && one.last + plan_.within >= search.now && search.may_examine()) work_out(group, search);
        }
        return;
    }
    std::vector<PartialSearch::Candidate> candidates;
    for (GroupId id = 0; id < groups_.size(); ++id) {
        const Group& group = groups_[id];
        if (!group.alive) continue;
        if (!search.may_examine()) break;
        const Timestamp newest = group.entries.back().time;
        if (newest + plan_.within < search.now) continue;
        StageMask offered = 0;
        for (const ListedEntry& one : group.entries) offered = static_cast<StageMask>(offered | one.stages);
        search.offer(candidates, {stage_count(static_cast<StageMask>(plan_.mandatory & ~offered)), newest, id});
    }
    for (const auto& candidate : search.best_of(std::move(candidates))) work_out(groups_[candidate.place], search);
}

}  // namespace catenary::engine
