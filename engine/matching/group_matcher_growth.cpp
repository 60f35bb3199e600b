#include "engine/matching/group_matcher.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <iterator>

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

void count(std::vector<std::pair<EntityId, std::uint32_t>>& links, const std::vector<ListedInstance::Pair>& pairs) {
    for (const ListedInstance::Pair& pair : pairs) {
        const auto place = std::lower_bound(links.begin(), links.end(), pair.entity, [](const auto& one, EntityId entity) { return one.first < entity; });
        if (place != links.end() && place->first == pair.entity) ++place->second;
        else links.insert(place, {pair.entity, 1});
    }
}

void add_principals(std::vector<EntityId>& principals, const std::vector<EntityId>& added) {
    principals.insert(principals.end(), added.begin(), added.end());
    std::sort(principals.begin(), principals.end());
    principals.erase(std::unique(principals.begin(), principals.end()), principals.end());
}

}  // namespace

/// The findings of the group, unless chains do not tell them: a signal was late, a set must be cut, there is too much of it.
std::optional<std::vector<FindingRevision>> GroupMatcher::told_by_chains(Group& group) {
    if (!has_chains() || !candidates_.is_plain(group.entries)) return std::nullopt;
    const auto sets = candidates_.sets(group.entries, end_min_);
    if (!sets) return std::nullopt;
    std::vector<FindingRevision> findings;
    std::vector<LinkCounts> links;
    for (const Candidates::Set& set : *sets) {
        if (set.end - set.first.start > plan_.max_span) return std::nullopt;
        FindingRevision finding{finding_id(identity_, window_, {.anchor = set.anchor}), set.anchor, set.first, set.first.start, set.end, {}, {}};
        for (const Candidates::Part& part : set.parts) finding.evidence.push_back({candidates_.entry(part.candidate).signal, plan_.earliest(part.serves)});
        std::sort(finding.evidence.begin(), finding.evidence.end(),
                  [](const StageEvidence& left, const StageEvidence& right) { return left.signal < right.signal; });
        LinkCounts& counts = links.emplace_back();
        count(counts, set.pairs);
        if (plan_.pattern->link == LinkMode::chain) finding.principals = principals_of(counts);
        else if (plan_.pattern->link == LinkMode::same) add_principals(finding.principals, set.principals);
        findings.push_back(std::move(finding));
    }
    group.by_chains = true;
    group.links = std::move(links);
    return findings;
}

/// Whether what came may be added to what chains tell of the group.
bool GroupMatcher::may_grow(const Group& group, const Candidates::Found& found, const std::vector<bool>& was_held) const {
    if (!has_chains() || !found.only_adds || !group.by_chains || group.entries.size() > most_signals) return false;
    for (std::size_t i = 0; i < found.parts.size(); ++i) {
        const ListedEntry& entry = candidates_.entry(found.parts[i].candidate);
        const auto place = std::lower_bound(group.entries.begin(), group.entries.end(), entry,
                                            [&](const ListedEntry& left, const ListedEntry& right) { return window_.before(left.signal, right.signal); });
        const auto from = place == group.entries.begin() ? place : std::prev(place);
        const auto to = group.entries.end() - place > 2 ? place + 2 : group.entries.end();
        if (!candidates_.is_plain({from, to})) return false;
    }
    return !was_held.empty();
}

/// Adds instances that the newest signal completes to the one finding that they share signals with, or makes one; false where it is not as simple.
bool GroupMatcher::grow(Group& group, const Candidates::Found& found, const std::vector<bool>& was_held) {
    std::optional<std::size_t> known;
    for (std::size_t i = 0; i < found.parts.size(); ++i) {
        if (!was_held[i]) continue;
        const SignalHandle signal = candidates_.entry(found.parts[i].candidate).signal;
        std::optional<std::size_t> having;
        for (std::size_t f = 0; f < group.findings.size() && !having; ++f) {
            const auto& evidence = group.findings[f].evidence;
            const auto place =
                std::lower_bound(evidence.begin(), evidence.end(), signal, [](const StageEvidence& one, SignalHandle of) { return one.signal < of; });
            if (place != evidence.end() && place->signal == signal) having = f;
        }
        if (!having || (known && known != having)) return false;
        known = having;
    }
    const ListedEntry& newest = candidates_.entry(found.parts.back().candidate);
    const bool is_new = !known;
    if (is_new) {
        const InstanceSpan first{found.earliest, newest.time};
        group.findings.push_back({finding_id(identity_, window_, {.anchor = newest.signal}), newest.signal, first, first.start, first.end, {}, {}});
        group.links.emplace_back();
        known = group.findings.size() - 1;
    }
    FindingRevision& finding = group.findings[*known];
    const Timestamp end = std::max(finding.end, newest.time);
    if (!is_new && (newest.time <= finding.opening.end || found.earliest < finding.start || end - finding.start > plan_.max_span)) return false;
    finding.end = end;
    std::vector<StageEvidence> added;
    for (const Candidates::Part& part : found.parts) {
        const StageEvidence one{candidates_.entry(part.candidate).signal, plan_.earliest(part.serves)};
        const auto place = std::lower_bound(finding.evidence.begin(), finding.evidence.end(), one.signal,
                                            [](const StageEvidence& other, SignalHandle signal) { return other.signal < signal; });
        if (place == finding.evidence.end() || place->signal != one.signal) finding.evidence.insert(place, one);
        else if (one.stage < place->stage) *place = one;
        else continue;
        added.push_back(one);
    }
    if (plan_.pattern->link == LinkMode::chain) {
        count(group.links[*known], found.pairs);
        finding.principals = principals_of(group.links[*known]);
    } else if (plan_.pattern->link == LinkMode::same) {
        add_principals(finding.principals, found.principals);
    }
    note_growth(finding, added, is_new ? FindingDelta::Kind::opened : FindingDelta::Kind::extended);
    return true;
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
}

}  // namespace catenary::engine
