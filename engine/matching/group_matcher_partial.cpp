#include "engine/matching/group_matcher.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <bit>

// What of a chain there is among signals whose chain is not whole.

namespace catenary::engine {
namespace {

// Of an entity's chains as many signals, the nearest, are looked at for a near miss.
constexpr std::size_t most_followed = 64;

}  // namespace

/// What is evidence of a finding has led somewhere: the others, with the links to one entity or all.
std::vector<ListedEntry> GroupMatcher::unserved(const std::vector<const ListedEntry*>& near, std::optional<EntityId> entity) const {
    boost::unordered_flat_map<GroupId, std::vector<SignalHandle>> evidence;  // sorted
    const auto is_evidence = [&](const ListedEntry& entry) {
        const auto group = group_of(entry);
        if (!group) return false;
        const auto [place, is_new] = evidence.try_emplace(*group);
        if (is_new) {
            for (const FindingRevision& finding : groups_[*group].findings) {
                for (const StageEvidence& one : finding.evidence) place->second.push_back(one.signal);
            }
            std::sort(place->second.begin(), place->second.end());
        }
        return std::binary_search(place->second.begin(), place->second.end(), entry.signal);
    };
    std::vector<ListedEntry> listed;
    for (const ListedEntry* one : near) {
        if (is_evidence(*one)) continue;
        listed.push_back(*one);
        if (entity) std::erase_if(listed.back().links, [&](const ListedEntry::Link& link) { return link.entity != *entity; });
    }
    return listed;
}

std::optional<Timestamp> GroupMatcher::look(EntityId entity, Timestamp from, Timestamp to, Timestamp watermark, std::vector<UnfinishedChain>& found) {
    const bool is_chain = plan_.pattern->link == LinkMode::chain;
    const auto near =
        is_chain ? candidates_.reached_from(entity, from, to, Candidates::Way::onward, watermark, most_followed) : candidates_.of(entity, from, watermark);
    work_ += near.size();
    if (is_chain && near.size() >= most_followed) ++capped_;
    StageMask offered = 0;
    for (const ListedEntry* one : near) offered = static_cast<StageMask>(offered | one->stages);
    std::optional<Timestamp> over;
    if (watch_.may_lack_one(offered)) {
        const auto listed = unserved(near, is_chain ? std::nullopt : std::optional{entity});
        const auto begins_with = [&](SignalHandle signal) {
            const auto links = std::find_if(listed.begin(), listed.end(), [&](const ListedEntry& one) { return one.signal == signal; });
            return links != listed.end() && links->links.front().entity == entity;
        };
        ChainWalk walk{plan_, window_, values_};
        walk.take(listed);
        for (UnfinishedChain& chain : walk.lacking_one(from, to)) {
            if (is_chain && !begins_with(chain.reached.front().signal)) continue;
            over = chain.start + plan_.within;
            found.push_back(std::move(chain));
            break;
        }
    }
    const auto later = candidates_.of(entity, to + Duration{1}, Timestamp::max());
    const Timestamp after = over ? std::max(*over, to) : to;
    for (const ListedEntry* one : later) {
        if (one->time > after) return one->time;
    }
    return later.empty() ? std::nullopt : std::optional{later.back()->time};
}

std::vector<UnfinishedChain> GroupMatcher::judge(Timestamp watermark) {
    std::vector<UnfinishedChain> found;
    watch_.look(watermark, [&](EntityId entity, Timestamp from, Timestamp to) { return look(entity, from, to, watermark, found); });
    return found;
}

void GroupMatcher::work_out(EntityId entity, PartialSearch& search) const {
    const Timestamp from = search.now < Timestamp::min() + plan_.within ? Timestamp::min() : search.now - plan_.within;
    std::vector<ListedEntry> listed;
    if (plan_.pattern->link == LinkMode::chain) {
        // The chain that the entity links last came to it from elsewhere.
        listed = unserved(candidates_.reached_from(entity, from, Timestamp::max(), Candidates::Way::back, from, most_listed), std::nullopt);
    } else {
        listed = unserved(candidates_.of(entity, from, Timestamp::max()), entity);
    }
    ChainWalk walk{plan_, window_, values_};
    walk.take(listed);
    for (UnfinishedChain& chain : walk.open_at(search.now)) {
        if (chain.entity == entity) search.found.push_back(std::move(chain));
    }
}

void GroupMatcher::search(PartialSearch& search) const {
    if (!watch_.is_enabled()) return;
    if (search.entity) {
        if (search.may_examine()) work_out(*search.entity, search);
        return;
    }
    std::vector<PartialSearch::Candidate> candidates;
    candidates_.each_entity([&](EntityId entity, StageMask offered, Timestamp newest) {
        if (!search.may_examine()) return false;
        if (newest + plan_.within < search.now) return true;
        // A chain may have come from other entities: what its last stage is preceded by does not show here.
        if (plan_.pattern->link == LinkMode::chain) offered = static_cast<StageMask>((std::bit_floor(unsigned{offered}) << 1U) - 1U);
        search.offer(candidates, {stage_count(static_cast<StageMask>(plan_.mandatory & ~offered)), newest, entity.value()});
        return true;
    });
    for (const auto& candidate : search.best_of(std::move(candidates))) work_out(EntityId{static_cast<std::uint32_t>(candidate.place)}, search);
}

}  // namespace catenary::engine
