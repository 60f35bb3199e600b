#include "engine/matching/group_matcher.hpp"

#include "engine/model/assert.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

namespace catenary::engine {
namespace {

// What every signal names where a pattern has no link.
constexpr EntityId nobody{std::numeric_limits<std::uint32_t>::max()};

}  // namespace

GroupMatcher::GroupMatcher(std::shared_ptr<const Pattern> pattern, std::string identity, Timestamp effective_from, const SignalWindow& window,
                           const std::vector<Symbol>& link_kinds)
    : plan_{std::move(pattern)},
      identity_{std::move(identity)},
      window_{window},
      end_min_{effective_from > Timestamp::min() ? effective_from + Duration{1} : Timestamp::min()} {
    const std::vector<std::string>& names = plan_.pattern->link_kinds;
    for (std::size_t k = 0; k < link_kinds.size(); ++k) {
        StageMask stages = 0;
        each_stage(plan_.repeated, [&](StageIndex stage) {
            if (plan_.pattern->stages[stage].repeat->by == names[k]) stages = static_cast<StageMask>(stages | stage_bit(stage));
        });
        counted_by_.emplace_back(link_kinds[k], stages);
    }
}

ListedEntry GroupMatcher::entry_of(SignalHandle signal, StageMask stages, std::span<const EntityId> links) const {
    const WindowSignal& facts = window_[signal];
    ListedEntry entry{facts.time, signal, stages, facts.late, {}, 0};
    for (const EntityId entity : links) {
        StageMask counted = counted_by_.empty() || entity == nobody ? plan_.repeated : StageMask{0};
        for (const LinkEntity& link : window_.links(signal)) {
            if (link.entity != entity) continue;
            for (const auto& [kind, allowed] : counted_by_) {
                if (kind == link.kind) counted = static_cast<StageMask>(counted | allowed);
            }
        }
        entry.links.push_back({entity, counted});
    }
    return entry;
}

void GroupMatcher::add(SignalHandle signal, StageMask stages, std::span<const EntityId> links, std::span<const std::vector<std::string>> distinct_values) {
    CATENARY_ASSERT(stages != 0 && (stages & ~plan_.all) == 0, "a signal satisfies some stages of the pattern");
    static constexpr std::array unlinked{nobody};
    if (plan_.pattern->link == LinkMode::none) links = unlinked;
    absences_.hold(signal);
    if (links.empty()) {
        aside_.push_back(signal);
        return;
    }
    each_stage(static_cast<StageMask>(stages & plan_.distinct), [&](StageIndex stage) { values_.add(signal, stage, distinct_values[stage]); });
    ListedEntry entry = entry_of(signal, stages, links);
    if (watch_.is_enabled()) {
        // Under `chain` the entities of one signal begin the same chains.
        const auto watched = plan_.pattern->link == LinkMode::chain ? links.first(1) : links;
        for (const EntityId entity : watched) {
            if (const auto noted = watch_.noted(entity); !noted || entry.time < *noted) watch_.note(entity, entry.time);
        }
    }
    const Candidates::Found found = candidates_.add(std::move(entry), end_min_);
    if (found.parts.empty()) return;
    std::vector<Candidates::Id> news;
    for (const Candidates::Part& part : found.parts) {
        if (take(part)) news.push_back(part.candidate);
    }
    // One group, unless more was gathered than is part of instances.
    std::set<GroupId> touched;
    for (const Candidates::Id candidate : news) touched.insert(group_of(candidates_.entry(candidate)).value());
    if (touched.size() == 1) {
        Group& group = groups_[*touched.begin()];
        if (!group.changed && may_grow(group, found) && grow(group, found)) return;
    }
    for (const GroupId id : touched) revise(id);
}

/// What a signal does in instances is known now; whether that is new.
bool GroupMatcher::take(const Candidates::Part& part) {
    const auto before = [&](const ListedEntry& left, const ListedEntry& right) { return window_.before(left.signal, right.signal); };
    const ListedEntry& entry = candidates_.entry(part.candidate);
    const bool is_held = candidates_.is_held(part.candidate);
    Group& group = groups_[is_held ? group_of(entry).value() : group_for(entry)];
    auto place = std::lower_bound(group.entries.begin(), group.entries.end(), entry, before);
    if (!is_held) {
        candidates_.hold(part.candidate);
        place = group.entries.insert(place, entry);
    } else if ((part.completes & ~place->completes) == 0) {
        return false;
    }
    place->completes = static_cast<StageMask>(place->completes | part.completes);
    return true;
}

/// The group that holds the signal.
std::optional<GroupMatcher::GroupId> GroupMatcher::group_of(const ListedEntry& entry) const {
    const auto place = stretches_.find(entry.links.front().entity.value());
    if (place == stretches_.end()) return std::nullopt;
    const auto one = std::partition_point(place->second.begin(), place->second.end(), [&](const Stretch& stretch) { return stretch.last < entry.time; });
    return one == place->second.end() ? std::nullopt : std::optional{one->group};
}

/// Those of an entity that a signal of that time connects. More than `within` apart from each other, so in order by start and by end alike.
std::pair<std::vector<GroupMatcher::Stretch>::iterator, std::vector<GroupMatcher::Stretch>::iterator> GroupMatcher::near(std::vector<Stretch>& stretches,
                                                                                                                         Timestamp time) const {
    const auto first = std::partition_point(stretches.begin(), stretches.end(), [&](const Stretch& one) { return one.last < time - plan_.within; });
    const auto last = std::partition_point(first, stretches.end(), [&](const Stretch& one) { return one.first <= time + plan_.within; });
    return {first, last};
}

/// The group that the entry belongs to; groups that it connects become one.
GroupMatcher::GroupId GroupMatcher::group_for(const ListedEntry& entry) {
    std::optional<GroupId> own;
    for (const ListedEntry::Link& link : entry.links) {
        const auto [first, last] = near(stretches_[link.entity.value()], entry.time);
        for (auto one = first; one != last; ++one) {
            ++work_;
            if (one->group == own) continue;
            if (!own) own = one->group;
            else merge(*own, one->group);
        }
    }
    if (!own) {
        if (free_groups_.empty()) {
            free_groups_.push_back(static_cast<GroupId>(groups_.size()));
            groups_.emplace_back();
        }
        own = free_groups_.back();
        free_groups_.pop_back();
        groups_[*own].alive = true;
    }
    for (const ListedEntry::Link& link : entry.links) {
        std::vector<Stretch>& stretches = stretches_[link.entity.value()];
        const auto [first, last] = near(stretches, entry.time);
        Stretch joined{entry.time, entry.time, *own};
        if (first != last) joined = {std::min(entry.time, first->first), std::max(entry.time, std::prev(last)->last), *own};
        stretches.insert(stretches.erase(first, last), joined);
    }
    return *own;
}

void GroupMatcher::merge(GroupId into, GroupId from) {
    Group& target = groups_[into];
    Group& source = groups_[from];
    for (const ListedEntry& entry : source.entries) {
        for (const ListedEntry::Link& link : entry.links) {
            for (Stretch& one : stretches_[link.entity.value()]) {
                if (one.group == from) one.group = into;
            }
        }
    }
    const auto before = [&](const ListedEntry& left, const ListedEntry& right) { return window_.before(left.signal, right.signal); };
    std::vector<ListedEntry> entries;
    entries.reserve(target.entries.size() + source.entries.size());
    std::merge(std::make_move_iterator(target.entries.begin()), std::make_move_iterator(target.entries.end()), std::make_move_iterator(source.entries.begin()),
               std::make_move_iterator(source.entries.end()), std::back_inserter(entries), before);
    work_ += entries.size();
    target.entries = std::move(entries);
    std::move(source.findings.begin(), source.findings.end(), std::back_inserter(target.findings));
    std::move(source.links.begin(), source.links.end(), std::back_inserter(target.links));
    target.sets.insert(target.sets.end(), source.sets.begin(), source.sets.end());
    target.by_chains = target.by_chains && source.by_chains;
    if (source.changed) revise(into);
    target.watched.resize(plan_.pattern->absent.size());
    for (std::size_t i = 0; i < source.watched.size(); ++i) {
        target.watched[i].first = std::min(target.watched[i].first, source.watched[i].first);
        target.watched[i].last = std::max(target.watched[i].last, source.watched[i].last);
    }
    if (source.decides_at) decide_at(into, std::min(*source.decides_at, target.decides_at.value_or(Timestamp::max())));
    decide_at(from, std::nullopt);
    target.floor = std::max(target.floor, source.floor);
    source = Group{};
    free_groups_.push_back(from);
}

/// Of findings that stay and are not decided it is assumed that nothing comes: better one too many than an attack that hides behind many signals.
void GroupMatcher::close_older_half(Group& group, std::vector<FindingDelta>& changes) {
    ++capped_;
    const auto half = group.entries.begin() + static_cast<std::ptrdiff_t>(group.entries.size() / 2);
    group.floor = std::max(group.floor, half->time);
    const auto first_kept = std::partition_point(group.entries.begin(), group.entries.end(), [&](const ListedEntry& one) { return one.time < group.floor; });
    std::for_each(group.entries.begin(), first_kept, [&](const ListedEntry& one) { candidates_.close(one, group.floor); });
    group.entries.erase(group.entries.begin(), first_kept);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < group.links.size(); ++i) {
        if (group.findings[i].start < group.floor) continue;
        std::swap(group.links[kept], group.links[i]);
        std::swap(group.sets[kept++], group.sets[i]);
    }
    group.links.resize(kept);
    group.sets.resize(kept);
    std::erase_if(group.findings, [&](const FindingRevision& one) {
        if (one.start >= group.floor) return false;
        if (one.waiting_until)
            changes.push_back({FindingDelta::Kind::extended, one.id, {}, one.start, one.end, one.principals, {}, {}, one.late_answers, one.more_late_answers});
        return true;
    });
}

void GroupMatcher::give_up(const ListedEntry& entry) {
    values_.forget(entry.signal, plan_.distinct);
    if (absences_.let_go(entry.signal)) given_up_.push_back(entry.signal);
}

std::vector<FindingRevision> GroupMatcher::listed(Group& group) {
    group.by_chains = false;
    group.links.clear();
    group.sets.clear();
    InstanceListing listing{group.entries, {plan_, window_, values_, absences_, watermark_}, group.floor, end_min_};
    work_ += listing.steps();
    if (!listing.is_complete()) ++capped_;
    std::vector<FindingName> taken;
    std::vector<FindingRevision> now = named(findings_of(listing.take(), plan_, window_), taken);
    for (FindingRevision& waiting : named(findings_of(listing.take_waiting(), plan_, window_), taken)) now.push_back(std::move(waiting));
    group.watched = listing.watched();
    decide_at(static_cast<GroupId>(&group - groups_.data()), listing.decides_at());
    return now;
}

void GroupMatcher::work_out(Group& group, std::vector<FindingDelta>& changes) {
    take_back_growth(group);
    std::optional<std::vector<FindingRevision>> told = told_by_chains(group);
    while (!told && has_chains() && group.entries.size() > 2 * most_listed) {
        close_older_half(group, changes);
        told = told_by_chains(group);
    }
    std::vector<FindingRevision> now = told ? std::move(*told) : listed(group);
    const auto successor = [&](const FindingRevision& former) -> std::optional<FindingId> {
        for (const FindingRevision& one : now) {
            const auto held = [&](const StageEvidence& evidence) { return evidence.signal == former.anchor; };
            if (one.start > former.opening.start || one.end < former.opening.end) continue;
            if (std::any_of(one.evidence.begin(), one.evidence.end(), held)) return one.id;
        }
        return std::nullopt;
    };
    report_changes(group.findings, now, window_, successor, changes);
    group.findings = std::move(now);
}

void GroupMatcher::bring_up_to_date() {
    std::vector<FindingDelta> changes;
    for (const GroupId id : std::exchange(changed_, {})) {
        Group& group = groups_[id];
        if (!group.alive || !std::exchange(group.changed, false)) continue;
        work_out(group, changes);
        if (group.entries.size() > (group.by_chains ? most_signals : most_listed)) close_older_half(group, changes);
    }
    tell_growth(changes);
    sort_canonically(changes);
    std::move(changes.begin(), changes.end(), std::back_inserter(deltas_));
}

/// Names that are `taken` belong to others of the group: what waits may have the anchor of what holds.
std::vector<FindingRevision> GroupMatcher::named(const std::vector<std::vector<ListedFinding>>& sets, std::vector<FindingName>& taken) const {
    std::vector<FindingRevision> findings;
    for (const std::vector<ListedFinding>& set : sets) {
        for (const ListedFinding& one : set) {
            const CutFinding& cut = one.cut;
            FindingName name{.anchor = cut.anchor};
            if (cut.opened_late) name.late_start = cut.opening.start;
            while (std::find(taken.begin(), taken.end(), name) != taken.end()) ++name.rank;
            taken.push_back(name);
            std::vector<StageEvidence> evidence;
            for (const FoundEvidence& found : cut.summary.evidence) evidence.push_back({found.signal, plan_.earliest(found.stages)});
            findings.push_back({finding_id(identity_, window_, name), cut.anchor, cut.opening, cut.summary.start, cut.summary.end, cut.summary.principals,
                                std::move(evidence), one.waiting_until, one.late_answers, one.more_late_answers});
        }
    }
    return findings;
}

void GroupMatcher::revise(GroupId id) {
    Group& group = groups_[id];
    if (!std::exchange(group.changed, true)) changed_.push_back(id);
}

void GroupMatcher::decide_at(GroupId id, std::optional<Timestamp> watermark) {
    std::optional<Timestamp>& known = groups_[id].decides_at;
    if (known) deciding_.erase({*known, id});
    known = watermark;
    if (known) deciding_.emplace(*known, id);
}

void GroupMatcher::saw_unwanted(SignalHandle signal, StageMask conditions, std::span<const EntityId> mentions) {
    static constexpr std::array unlinked{nobody};
    if (plan_.pattern->link == LinkMode::none) mentions = unlinked;
    const WindowSignal& facts = window_[signal];
    absences_.add(signal, conditions, mentions, facts);
    for (const EntityId entity : mentions) {
        const auto place = stretches_.find(entity.value());
        if (place == stretches_.end()) continue;
        const auto first =
            std::partition_point(place->second.begin(), place->second.end(), [&](const Stretch& one) { return one.last < facts.time - plan_.absent_after; });
        for (auto one = first; one != place->second.end() && one->first <= facts.time + plan_.absent_before; ++one) {
            ++work_;
            const WatchedConditions& watched = groups_[one->group].watched;
            bool concerns = false;
            each_stage(conditions,
                       [&](StageIndex condition) { concerns = concerns || (condition < watched.size() && watched[condition].contains(facts.time)); });
            if (concerns) revise(one->group);
        }
    }
}

void GroupMatcher::move_watermark(Timestamp watermark) {
    if (watermark <= watermark_) return;
    watermark_ = watermark;
    while (!deciding_.empty() && deciding_.begin()->first <= watermark_) {
        const GroupId id = deciding_.begin()->second;
        decide_at(id, std::nullopt);
        revise(id);
    }
}

std::optional<Timestamp> GroupMatcher::decides_at() const { return deciding_.empty() ? std::nullopt : std::optional{deciding_.begin()->first}; }

std::vector<FindingDelta> GroupMatcher::take_deltas() {
    bring_up_to_date();
    return std::exchange(deltas_, {});
}

std::vector<SignalHandle> GroupMatcher::expire(Timestamp horizon) {
    bring_up_to_date();
    const Timestamp reach = horizon < Timestamp::min() + plan_.within ? Timestamp::min() : horizon - plan_.within;
    // What comes from now on may still be a late answer to what ended up to so much earlier.
    const Timestamp kept_from = reach < Timestamp::min() + plan_.absent_after ? Timestamp::min() : reach - plan_.absent_after;
    for (GroupId id = 0; id < groups_.size(); ++id) {
        Group& group = groups_[id];
        if (!group.alive || group.entries.back().time >= kept_from) continue;
        if (group.decides_at && *group.decides_at > horizon) continue;  // the watermark is never behind the horizon
        for (const ListedEntry& entry : group.entries) {
            candidates_.let_go(entry);
            give_up(entry);
        }
        decide_at(id, std::nullopt);
        group = Group{};
        free_groups_.push_back(id);
    }
    candidates_.expire(reach, [&](const ListedEntry& entry) { give_up(entry); });
    candidates_.compact_sets([&](auto renumber) {
        for (Group& group : groups_) std::for_each(group.sets.begin(), group.sets.end(), renumber);
    });
    // As long as a group is worked out, its signals are looked for, and what must be absent around them.
    erase_if(stretches_, [&](auto& place) {
        std::erase_if(place.second, [&](const Stretch& one) { return one.last < reach && !groups_[one.group].alive; });
        return place.second.empty();
    });
    if (!plan_.pattern->absent.empty()) forget_unwanted(reach);
    const auto first_over = std::stable_partition(aside_.begin(), aside_.end(), [&](SignalHandle signal) { return window_[signal].time >= horizon; });
    for (auto one = first_over; one != aside_.end(); ++one) {
        if (absences_.let_go(*one)) given_up_.push_back(*one);
    }
    aside_.erase(first_over, aside_.end());
    std::vector<SignalHandle> gone = std::exchange(given_up_, {});
    std::sort(gone.begin(), gone.end());
    return gone;
}

/// What begins before `reach` and is in no group any more takes part in no further instance.
void GroupMatcher::forget_unwanted(Timestamp reach) {
    const Timestamp kept_from = reach < Timestamp::min() + plan_.absent_before ? Timestamp::min() : reach - plan_.absent_before;
    const auto is_needed = [&](EntityId entity, Timestamp time) {
        if (time >= kept_from) return true;
        const auto place = stretches_.find(entity.value());
        if (place == stretches_.end()) return false;
        const auto one =
            std::partition_point(place->second.begin(), place->second.end(), [&](const Stretch& stretch) { return stretch.last < time - plan_.absent_after; });
        return one != place->second.end() && one->first <= time + plan_.absent_before;
    };
    absences_.expire(is_needed, given_up_);
}

std::size_t GroupMatcher::bytes() const {
    std::size_t total = sizeof(*this) + groups_.capacity() * sizeof(Group) + values_.bytes() + candidates_.bytes() + absences_.bytes() + watch_.bytes() +
                        stretches_.bucket_count() * sizeof(Stretch);
    for (const Group& group : groups_) {
        total += group.entries.capacity() * sizeof(ListedEntry);
        for (const FindingRevision& one : group.findings) total += sizeof(one) + one.evidence.capacity() * sizeof(StageEvidence);
    }
    return total;
}

}  // namespace catenary::engine
