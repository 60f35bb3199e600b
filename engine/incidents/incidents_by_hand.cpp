#include "engine/incidents/incidents.hpp"
#include "engine/incidents/wording.hpp"

#include <algorithm>
#include <set>

namespace catenary::engine {

namespace {

std::string with_reason(std::string text, const std::string& reason) { return reason.empty() ? text : text + ": " + reason; }
std::string named(IncidentNumber number) { return "incident " + std::to_string(number.value()); }

}  // namespace

/// Why the findings of an incident cannot be moved; empty: they can.
std::string Incidents::why_fixed(IncidentNumber number) const {
    if (number.value() < 1 || number.value() > last_number_) return "there is no " + named(number);
    const auto found = incidents_.find(number);
    if (found == incidents_.end()) return named(number) + " ended before everything that is still correlated";
    const Incident& incident = found->second;
    if (incident.record.merged_into) return named(number) + " is part of " + named(*incident.record.merged_into);
    if (incident.record.status == IncidentStatus::closed) return named(number) + " is closed; reopen it first";
    if (!incident.group) return named(number) + " ended before everything that is still correlated";
    return {};
}

void Incidents::merge(const IncidentMerge& merge, EntryStamp stamp) {
    std::set<IncidentNumber> all{merge.numbers.begin(), merge.numbers.end()};
    all.erase(merge.into);
    std::string refusal = all.empty() ? "there is nothing to merge with" : why_fixed(merge.into);
    for (const IncidentNumber number : all) {
        if (refusal.empty()) refusal = why_fixed(number);
    }
    if (!refusal.empty()) return note(merge.into, stamp, "merge_refused", std::move(refusal), merge.actor);
    const HandGroup hand = hands_.next();
    by_hand_ = ByHand{.actor = merge.actor, .reason = merge.reason, .keeps = merge.into, .absorbed = all, .apart = {}, .moved = {}};
    all.insert(merge.into);
    std::vector<FindingIndex> findings;
    for (const IncidentNumber number : all) {
        for (const auto& [order, finding] : incidents_.at(number).gathered->members()) findings.push_back(finding);
    }
    place(findings, hand);
}

void Incidents::split(const IncidentSplit& split, EntryStamp stamp) {
    const auto refuse = [&](std::string why) { note(split.number, stamp, "split_refused", std::move(why), split.actor); };
    if (std::string why = why_fixed(split.number); !why.empty()) return refuse(std::move(why));
    std::set<FindingId, FindingIdLess> wanted{split.findings.begin(), split.findings.end()};
    std::vector<FindingIndex> leaving;
    std::vector<FindingIndex> staying;
    for (const auto& [order, finding] : incidents_.at(split.number).gathered->members()) {
        (wanted.contains(order.id) ? leaving : staying).push_back(finding);
    }
    if (leaving.empty() || leaving.size() < wanted.size()) return refuse("some of the findings are not in " + named(split.number));
    if (staying.empty()) return refuse("at least one finding has to stay");
    const auto hand = grouping_.hand_of(*incidents_.at(split.number).group);
    place(staying, hand ? *hand : hands_.next());
    const HandGroup apart = hands_.next();
    place(leaving, apart);
    by_hand_ = ByHand{.actor = split.actor, .reason = split.reason, .keeps = split.number, .absorbed = {}, .apart = apart, .moved = std::move(leaving)};
}

void Incidents::place(const std::vector<FindingIndex>& findings, HandGroup hand) {
    const std::set<FindingIndex> together{findings.begin(), findings.end()};
    for (const FindingIndex index : findings) {
        Finding& finding = findings_[index];
        hands_.place(finding, hand, [&](FindingIndex other) {
            // What the decision does not name stays where it is, though it shares the marked evidence. One on trial has no place yet.
            const Finding& there = findings_[other];
            if (!together.contains(other) && there.pattern->id == finding.pattern->id && there.mode == Mode::production) hands_.leave_alone(there);
        });
        finding.hand = hand;
        grouping_.place(index, hand);
    }
}

/// After the numbers are given: what the split led to.
void Incidents::announce_split(EntryStamp stamp) {
    if (!by_hand_ || !by_hand_->apart) return;
    const auto made = findings_[by_hand_->moved.front()].incident;
    if (!made) return;
    const auto count = said_count(static_cast<std::int64_t>(by_hand_->moved.size()), "finding");
    note(by_hand_->keeps, stamp, "split", with_reason(count + " to " + named(*made), by_hand_->reason), by_hand_->actor);
    note(*made, stamp, "split", with_reason(count + " from " + named(by_hand_->keeps), by_hand_->reason), by_hand_->actor);
    relate(by_hand_->keeps, *made);
}

void Incidents::announce_merge(IncidentNumber from, IncidentNumber into, EntryStamp stamp) {
    if (by_hand_ && by_hand_->absorbed.contains(from)) {
        note(from, stamp, "merged", with_reason("into " + named(into), by_hand_->reason), by_hand_->actor);
        note(into, stamp, "merged", with_reason("took in " + named(from), by_hand_->reason), by_hand_->actor);
        return;
    }
    if (incidents_.at(into).is_aggregate()) {
        note(from, stamp, "merged", "its findings are beyond the limit of their pattern and day, and listed in " + named(into));
        return;
    }
    note(from, stamp, "merged", "its findings share evidence with those of " + named(into) + ", which goes on");
    note(into, stamp, "merged", "took in " + named(from) + ", whose findings share evidence with its own");
}

}  // namespace catenary::engine
