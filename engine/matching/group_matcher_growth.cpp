#include "engine/matching/group_matcher.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <iterator>
#include <set>

// Findings told by chains: worked out without listing instances, and added to without working anything out again.

namespace catenary::engine {

std::vector<EntityId> GroupMatcher::principals_of(const LinkCounts& links) const {
    std::uint32_t most = 0;
    for (const auto& [entity, pairs] : links) most = std::max(most, pairs);
    std::vector<EntityId> principals;
    for (const auto& [entity, pairs] : links) {
        if (pairs == most) principals.push_back(entity);
    }
    return principals;
}

namespace {

std::vector<EntityId> each_once(std::vector<EntityId> entities) {
    std::sort(entities.begin(), entities.end());
    entities.erase(std::unique(entities.begin(), entities.end()), entities.end());
    return entities;
}

/// Adds to evidence that is sorted by signal; returns what was not there, or serves an earlier stage than it did.
std::vector<StageEvidence> add_evidence(std::vector<StageEvidence>& evidence, std::vector<StageEvidence> told) {
    const auto by_signal = [](const StageEvidence& left, const StageEvidence& right) {
        return left.signal != right.signal ? left.signal < right.signal : left.stage < right.stage;
    };
    const auto is_same = [](const StageEvidence& left, const StageEvidence& right) { return left.signal == right.signal; };
    std::sort(told.begin(), told.end(), by_signal);
    told.erase(std::unique(told.begin(), told.end(), is_same), told.end());
    constexpr std::size_t few = 16;  // are put in one by one
    const auto of_signal = [](const StageEvidence& left, const StageEvidence& right) { return left.signal < right.signal; };
    std::vector<StageEvidence> added;
    for (const StageEvidence& one : told) {
        const auto place = std::lower_bound(evidence.begin(), evidence.end(), one, of_signal);
        if (place == evidence.end() || place->signal != one.signal || one.stage < place->stage) added.push_back(one);
    }
    if (added.size() < few) {
        for (const StageEvidence& one : added) {
            const auto place = std::lower_bound(evidence.begin(), evidence.end(), one, of_signal);
            if (place != evidence.end() && place->signal == one.signal) *place = one;
            else evidence.insert(place, one);
        }
        return added;
    }
    std::vector<StageEvidence> all;
    all.reserve(evidence.size() + added.size());
    std::merge(evidence.begin(), evidence.end(), added.begin(), added.end(), std::back_inserter(all), by_signal);
    all.erase(std::unique(all.begin(), all.end(), is_same), all.end());
    evidence = std::move(all);
    return added;
}

}  // namespace

/// The findings of the group, unless chains do not tell them: a signal was late, a set must be cut, there is too much of it.
std::optional<std::vector<FindingRevision>> GroupMatcher::told_by_chains(Group& group) {
    if (!has_chains() || !candidates_.is_plain(group.entries)) return std::nullopt;
    const auto sets = candidates_.sets(group.entries, group.floor, end_min_);
    if (!sets) return std::nullopt;
    std::vector<FindingRevision> findings;
    std::vector<LinkCounts> links;
    std::vector<Candidates::SetNumber> numbers;
    for (const Candidates::Set& set : *sets) {
        if (set.end - set.first.start > plan_.max_span) return std::nullopt;
        FindingRevision finding{finding_id(identity_, window_, {.anchor = set.anchor}), set.anchor, set.first, set.first.start, set.end, {}, {}};
        for (const Candidates::Part& part : set.parts) finding.evidence.push_back({candidates_.entry(part.candidate).signal, plan_.earliest(part.serves)});
        std::sort(finding.evidence.begin(), finding.evidence.end(),
                  [](const StageEvidence& left, const StageEvidence& right) { return left.signal < right.signal; });
        const LinkCounts& counts = links.emplace_back(set.links);
        numbers.push_back(candidates_.new_set());
        for (const Candidates::Part& part : set.parts) candidates_.put_into(part.candidate, numbers.back());
        if (plan_.pattern->link == LinkMode::chain) finding.principals = principals_of(counts);
        else if (plan_.pattern->link == LinkMode::same) finding.principals = each_once(set.principals);
        findings.push_back(std::move(finding));
    }
    group.by_chains = true;
    group.links = std::move(links);
    group.sets = std::move(numbers);
    return findings;
}

/// Of findings that were read.
void GroupMatcher::number_sets(Group& group) {
    boost::unordered_flat_map<std::uint32_t, Candidates::SetNumber> having;  // by signal
    group.sets.clear();
    for (const FindingRevision& finding : group.findings) {
        group.sets.push_back(candidates_.new_set());
        for (const StageEvidence& one : finding.evidence) having.emplace(one.signal.value(), group.sets.back());
    }
    for (const ListedEntry& entry : group.entries) {
        if (const auto set = having.find(entry.signal.value()); set != having.end()) candidates_.put_into(entry, set->second);
    }
}

/// Whether what came may be added to what chains tell of the group.
bool GroupMatcher::may_grow(const Group& group, const Candidates::Found& found) const {
    if (!has_chains() || !found.only_adds || !group.by_chains || group.entries.size() > most_signals) return false;
    for (std::size_t i = 0; i < found.parts.size(); ++i) {
        const ListedEntry& entry = candidates_.entry(found.parts[i].candidate);
        const auto place = std::lower_bound(group.entries.begin(), group.entries.end(), entry,
                                            [&](const ListedEntry& left, const ListedEntry& right) { return window_.before(left.signal, right.signal); });
        const auto from = place == group.entries.begin() ? place : std::prev(place);
        const auto to = group.entries.end() - place > 2 ? place + 2 : group.entries.end();
        if (!candidates_.is_plain({from, to})) return false;
    }
    return true;
}

/// Adds instances that the newest signal completes to the findings that they share signals with, which become one, or makes one; false where it is not as
/// simple.
bool GroupMatcher::grow(Group& group, const Candidates::Found& found) {
    std::set<std::size_t> known;
    for (const Candidates::SetNumber set : found.joins) {
        const auto having = std::find_if(group.sets.begin(), group.sets.end(), [&](Candidates::SetNumber one) { return candidates_.set(one) == set; });
        if (having == group.sets.end()) return false;
        known.insert(static_cast<std::size_t>(having - group.sets.begin()));
    }
    const ListedEntry& newest = candidates_.entry(found.parts.back().candidate);
    const bool is_new = known.empty();
    if (is_new) {
        if (newest.time - found.earliest > plan_.max_span) return false;
        const InstanceSpan first{found.earliest, newest.time};
        known.insert(group.findings.size());
        group.findings.push_back({finding_id(identity_, window_, {.anchor = newest.signal}), newest.signal, first, first.start, first.end, {}, {}});
        group.links.emplace_back();
        group.sets.push_back(candidates_.new_set());
    }
    // What holds the first instance of all goes on.
    const std::size_t leading = *std::min_element(known.begin(), known.end(), [&](std::size_t left, std::size_t right) {
        const FindingRevision& one = group.findings[left];
        const FindingRevision& other = group.findings[right];
        return one.opening != other.opening ? one.opening < other.opening : window_.before(one.anchor, other.anchor);
    });
    Timestamp end = newest.time;
    for (const std::size_t one : known) {
        end = std::max(end, group.findings[one].end);
        if (!is_new && newest.time <= group.findings[one].opening.end) return false;
    }
    const Timestamp start = group.findings[leading].start;
    if (found.earliest < start || end - start > plan_.max_span) return false;

    std::vector<StageEvidence> told;
    for (const Candidates::Part& part : found.parts) told.push_back({candidates_.entry(part.candidate).signal, plan_.earliest(part.serves)});
    LinkCounts links = std::move(group.links[leading]);
    std::vector<EntityId> principals = found.principals;
    for (const std::size_t one : known) {
        const FindingRevision& finding = group.findings[one];
        principals.insert(principals.end(), finding.principals.begin(), finding.principals.end());
        if (one == leading) continue;
        told.insert(told.end(), finding.evidence.begin(), finding.evidence.end());
        for (const auto& [entity, pairs] : group.links[one]) Candidates::count(links, entity, pairs);
        candidates_.unite(group.sets[leading], group.sets[one]);
        note_end(finding, group.findings[leading].id);
    }
    for (const auto& [entity, pairs] : found.links) Candidates::count(links, entity, pairs);
    for (const Candidates::Part& part : found.parts) candidates_.put_into(part.candidate, group.sets[leading]);
    FindingRevision& finding = group.findings[leading];
    finding.end = end;
    std::vector<StageEvidence> added = add_evidence(finding.evidence, std::move(told));
    if (plan_.pattern->link == LinkMode::chain) finding.principals = principals_of(links);
    else if (plan_.pattern->link == LinkMode::same) finding.principals = each_once(std::move(principals));
    group.links[leading] = std::move(links);
    note_growth(finding, added, is_new ? FindingDelta::Kind::opened : FindingDelta::Kind::extended);
    for (auto one = known.rbegin(); one != known.rend(); ++one) {
        if (*one == leading) continue;
        group.findings.erase(group.findings.begin() + static_cast<std::ptrdiff_t>(*one));
        group.links.erase(group.links.begin() + static_cast<std::ptrdiff_t>(*one));
        group.sets.erase(group.sets.begin() + static_cast<std::ptrdiff_t>(*one));
    }
    return true;
}

/// It went into another one since deltas were taken.
void GroupMatcher::note_end(const FindingRevision& finding, FindingId successor) {
    const auto grown = grown_.find(finding.id);
    const bool was_told = grown == grown_.end() || grown->second.kind != FindingDelta::Kind::opened;
    if (grown != grown_.end()) grown_.erase(grown);
    if (was_told) ended_.push_back({FindingDelta::Kind::superseded, finding.id, {}, finding.start, finding.end, finding.principals, successor});
}

void GroupMatcher::note_growth(const FindingRevision& finding, const std::vector<StageEvidence>& added, FindingDelta::Kind kind) {
    FindingDelta& delta = grown_.try_emplace(finding.id, FindingDelta{kind, finding.id, {}, finding.start, finding.end, {}, std::nullopt}).first->second;
    delta.end = finding.end;
    delta.principals = finding.principals;
    delta.added.insert(delta.added.end(), added.begin(), added.end());
}

/// Makes the findings what was told of them last, so that what follows is one change.
void GroupMatcher::take_back_growth(Group& group) {
    std::erase_if(group.findings, [&](FindingRevision& finding) {
        const auto grown = grown_.find(finding.id);
        if (grown == grown_.end()) return false;
        const FindingDelta delta = std::move(grown->second);
        grown_.erase(grown);
        if (delta.kind == FindingDelta::Kind::opened) return true;
        boost::unordered_flat_set<std::uint32_t> added;
        for (const StageEvidence& one : delta.added) added.insert(one.signal.value());
        std::erase_if(finding.evidence, [&](const StageEvidence& one) { return added.contains(one.signal.value()); });
        return false;
    });
}

void GroupMatcher::tell_growth(std::vector<FindingDelta>& changes) {
    for (auto& [id, delta] : grown_) {
        // What serves an earlier stage than was told is told again: once is enough.
        std::sort(delta.added.begin(), delta.added.end(), [](const StageEvidence& left, const StageEvidence& right) {
            return left.signal != right.signal ? left.signal < right.signal : left.stage < right.stage;
        });
        const auto is_same = [](const StageEvidence& left, const StageEvidence& right) { return left.signal == right.signal; };
        delta.added.erase(std::unique(delta.added.begin(), delta.added.end(), is_same), delta.added.end());
        sort_canonically(delta.added, window_);
        changes.push_back(std::move(delta));
    }
    grown_.clear();
    std::move(ended_.begin(), ended_.end(), std::back_inserter(changes));
    ended_.clear();
}

}  // namespace catenary::engine
