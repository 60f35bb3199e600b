#include "engine/incidents/incidents.hpp"
#include "engine/model/assert.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace catenary::engine {

std::optional<Timestamp> Incidents::earliest_activity() const {
    std::optional<Timestamp> earliest;
    for (const FindingIndex index : findings_.all()) {
        if (!earliest || findings_[index].start < *earliest) earliest = findings_[index].start;
    }
    return earliest;
}

void Incidents::carry_over(const StoredIncidents& stored, Timestamp newest, EntryStamp stamp) {
    CATENARY_ASSERT(changed_findings_.empty() && changed_incidents_.empty() && activity_.empty(), "effects are taken before incidents are carried over");
    forget_partition();
    last_number_ = stored.last_number;
    written_until_ = newest;
    Carried carried;
    for (const auto& record : stored.incidents) {
        if (record.merged_into) incidents_[record.number].record = record;
        else carried.known.emplace(record.number, Carried::Known{.record = &record, .stored = 0, .findings = {}, .is_short = false});
    }
    for (const auto& finding : stored.findings) {
        const auto known = carried.known.find(finding.incident);
        if (known == carried.known.end()) continue;
        ++known->second.stored;
        carried.findings.emplace(finding.id, &finding);
    }
    for (const FindingIndex index : findings_.all()) find_again(index, carried);
    group_again(carried);

    std::vector<FindingIndex> going_on;
    for (auto& [number, known] : carried.known) {
        Incident& incident = incidents_[number];
        incident.record = *known.record;
        incident.announced_signals = static_cast<std::size_t>(known.record->signal_count);
        if (known.findings.empty()) continue;  // it ended
        if (known.goes_on()) {
            going_on.insert(going_on.end(), known.findings.begin(), known.findings.end());
            continue;
        }
        if (known.is_aggregate) incident.beyond = grouping_.daily_limit();
        keep_as_stored(incident, known);
    }
    for (const auto& finding : stored.findings) {
        if (!carried.known.contains(finding.incident) || findings_.with_id(finding.id)) continue;
        note_ended(finding.incident, finding.id);
    }
    for (const auto& record : stored.incidents) {
        const auto heir = record.merged_into ? incidents_.find(*record.merged_into) : incidents_.end();
        if (heir != incidents_.end()) heir->second.absorbed.push_back(record.number);
    }
    const auto counted = std::pair{aggregated_, cut_short_};
    group_as_stored(going_on, carried, stamp);
    for (auto& [number, incident] : incidents_) incident.is_cut_short = incident.gathered && incident.gathered->entity_count() > listed_entities_;
    std::tie(aggregated_, cut_short_) = counted;
    report_others(carried);
    settle(stamp);
    // Nothing happened to what was known: its history does not grow by this.
    std::erase_if(activity_, [&](const IncidentActivity& line) { return line.number.value() <= stored.last_number; });
}

/// Findings stay; which incidents they are in, and what analysts decided about that, is as if it had never been.
void Incidents::forget_partition() {
    for (const FindingIndex index : last_first(findings_.all())) {  // nobody has to follow another first one
        Finding& finding = findings_[index];
        if (grouping_.contains(index)) grouping_.remove(index);
        if (finding.indexed) {
            for (const EntityId principal : finding.principals) principals_.remove(principal, finding.order());
        }
        finding.indexed = false;
        finding.related_until.reset();
        finding.incident.reset();
        finding.settled = false;
        finding.is_short = false;
        finding.hand.reset();
    }
    grouping_.settle();
    hands_.clear();
    incidents_.clear();
    ended_.clear();
    numbers_.clear();
}

/// A closed incident keeps what it has; what its finding has beyond is a continuation's, which is not matched but follows it.
void Incidents::find_again(FindingIndex index, Carried& carried) {
    if (findings_[index].waiting_until) return;
    for (auto known = carried.findings.find(findings_[index].id); known != carried.findings.end(); known = carried.findings.find(findings_[index].id)) {
        const StoredFinding& stored = *known->second;
        auto& incident = carried.known.at(stored.incident);
        incident.findings.push_back(index);
        if (incident.record->status != IncidentStatus::closed) {
            if (!is_as_stored(index, stored)) rewrite(index);
            else forget_changes(index);
            return;
        }
        const auto kept = evidence_among(index, stored.evidence);
        const FindingId next = continuation_id(findings_[index].matched_as, findings_[index].continuation + 1);
        const bool goes_on = kept.size() < findings_[index].evidence.size() || carried.findings.contains(next);
        const FindingIndex closed = index;
        if (goes_on) index = add_continuation(closed, findings_[closed].continuation + 1);
        if (kept.empty()) {  // nothing of it is held
            incident.findings.pop_back();
            findings_.stop_reports(findings_[closed].matched_as);
            findings_.report_to(findings_[closed].matched_as, index);
            erase(closed);
        } else {
            if (kept.size() < findings_[closed].evidence.size()) replace_evidence(closed, kept);
            change_span(closed, stored.start, stored.end);
            change_principals(closed, principals_among(closed, stored.principals));
            findings_[closed].is_short = kept.size() < static_cast<std::size_t>(stored.evidence_total);
            incident.is_short = incident.is_short || findings_[closed].is_short;
            forget_changes(closed);
        }
        if (!goes_on) return;
    }
}

/// What takes no part any more keeps its places of the day, and where it was an aggregate it is one: as the rule has it of all that was reported, each incident by itself.
void Incidents::group_again(Carried& carried) {
    boost::unordered_flat_map<FindingIndex, IncidentNumber, std::hash<FindingIndex>> numbers;
    for (const auto& [number, known] : carried.known) {
        for (const FindingIndex index : known.findings) {
            numbers.emplace(index, number);
            grouping_.put(index, findings_[index].pattern->id, findings_[index].order(), findings_[index].end);
        }
    }
    for (const auto& [index, number] : numbers) {
        findings_[index].evidence.each([&, index = index, number = number](SignalHandle signal) {
            for (const FindingIndex other : held_.findings(signal)) {
                const auto known = index < other ? numbers.find(other) : numbers.end();
                if (known != numbers.end() && known->second == number) grouping_.connect(index, other);
            }
        });
    }
    grouping_.settle();
    for (auto& [number, known] : carried.known) {
        known.is_aggregate = !known.findings.empty() && grouping_.is_aggregate(grouping_.group_of(known.findings.front()));
    }
    for (const auto& [number, known] : carried.known) {
        for (const FindingIndex index : last_first(known.findings)) {  // nobody has to follow another first one
            if (known.goes_on()) grouping_.remove(index);              // for now
            else grouping_.retire(index);
        }
    }
    grouping_.settle();
}

std::vector<FindingIndex> Incidents::last_first(std::vector<FindingIndex> findings) const {
    std::sort(findings.begin(), findings.end(), [&](FindingIndex left, FindingIndex right) { return findings_[right].order() < findings_[left].order(); });
    return findings;
}

bool Incidents::is_as_stored(FindingIndex index, const StoredFinding& stored) const {
    const Finding& finding = findings_[index];
    return finding.start == stored.start && finding.end == stored.end && static_cast<std::int64_t>(finding.evidence.size()) == stored.evidence_total;
}

/// Those of its evidence that are in `wanted`, which is sorted.
std::vector<StageEvidence> Incidents::evidence_among(FindingIndex index, const std::vector<SignalRef>& wanted) const {
    std::vector<StageEvidence> kept;
    for (const auto& [signal, stage] : findings_[index].evidence.sorted(held_.window())) {
        if (std::binary_search(wanted.begin(), wanted.end(), held_.window().ref(signal))) kept.push_back({signal, stage});
    }
    return kept;
}

std::vector<EntityId> Incidents::principals_among(FindingIndex index, const std::vector<EntityKey>& wanted) const {
    std::vector<EntityId> kept;
    for (const EntityId principal : findings_[index].principals) {
        if (std::binary_search(wanted.begin(), wanted.end(), entity_key(principal, dictionary_))) kept.push_back(principal);
    }
    return kept;
}

/// What is stored of it is what it is.
void Incidents::forget_changes(FindingIndex index) {
    findings_[index].replace_evidence = false;
    findings_[index].fresh.clear();
    changed_findings_.erase(index);
}

/// What is stored of it is of another version.
void Incidents::rewrite(FindingIndex index) {
    findings_[index].replace_evidence = true;
    findings_[index].score_stale = true;
    changed_findings_.insert(index);
}

/// Closed, or not all of it was found again: it takes no more evidence.
void Incidents::keep_as_stored(Incident& incident, const Carried::Known& known) {
    incident.as_stored = known.is_short || known.findings.size() < known.stored;
    incident.gathered = std::make_unique<Gathered>(held_, dictionary_, listed_entities_);
    for (const FindingIndex index : known.findings) {
        Finding& finding = findings_[index];
        finding.incident = incident.record.number;
        finding.settled = true;
        incident.gathered->join(index, finding);
        for (const EntityId principal : finding.principals) principals_.add(principal, finding.order(), index);
        finding.indexed = true;
    }
    keep_words(incident, *known.record);
    incident.record = *known.record;
}

/// What people wrote is not told apart from other words of another version: both stay.
void Incidents::keep_words(Incident& incident, const IncidentRecord& was) {
    refresh(incident);
    if (incident.as_stored || incident.record.title != was.title) incident.title = was.title;
    if (incident.as_stored || incident.record.severity != was.severity) incident.severity = was.severity;
    refresh(incident);
}

/// Incidents whose findings are not one group, or not alone in theirs. Those of which only an aggregate has too much are left out as long as there are others: they
/// may stand alone when those are placed, which do not count then.
std::set<IncidentNumber> Incidents::grouped_otherwise(const std::map<FindingIndex, IncidentNumber>& numbers) const {
    std::map<GroupIndex, std::set<IncidentNumber>> of_groups;
    std::map<IncidentNumber, std::set<GroupIndex>> of_numbers;
    for (const auto& [index, number] : numbers) {
        of_groups[grouping_.group_of(index)].insert(number);
        of_numbers[number].insert(grouping_.group_of(index));
    }
    std::set<IncidentNumber> otherwise;
    std::set<IncidentNumber> in_aggregates;
    const auto is_aggregate = [&](GroupIndex group) { return grouping_.is_aggregate(group); };
    for (const auto& [group, all] : of_groups) {
        if (all.size() > 1) (is_aggregate(group) ? in_aggregates : otherwise).insert(all.begin(), all.end());
    }
    for (const auto& [number, groups] : of_numbers) {
        if (groups.size() > 1) (std::all_of(groups.begin(), groups.end(), is_aggregate) ? in_aggregates : otherwise).insert(number);
    }
    return otherwise.empty() ? in_aggregates : otherwise;
}

/// Where the rule puts findings otherwise than they were reported, they stay together as they were, as if by hand: by hand it may have been.
void Incidents::group_as_stored(const std::vector<FindingIndex>& findings, const Carried& carried, EntryStamp stamp) {
    std::map<FindingIndex, IncidentNumber> numbers;
    std::set<IncidentNumber> all;
    for (const FindingIndex index : findings) {
        numbers.emplace(index, carried.findings.at(findings_[index].id)->incident);
        all.insert(numbers.at(index));
        inherited_[index] = {numbers.at(index)};
        start_grouping(index);
    }
    grouping_.settle();
    std::set<IncidentNumber> placed;
    for (auto otherwise = grouped_otherwise(numbers); !otherwise.empty(); otherwise = grouped_otherwise(numbers)) {
        // Again, since what was placed by hand does not count among the incidents of its day, so that others may have come to stand alone.
        const std::size_t before = placed.size();
        for (const IncidentNumber number : otherwise) {
            if (placed.insert(number).second) place(carried.known.at(number).findings, hands_.next());
        }
        CATENARY_ASSERT(placed.size() > before, "what is placed by hand is together and alone");
        grouping_.settle();
    }
    for (const auto& [index, number] : numbers) {
        incidents_.at(number).beyond = grouping_.is_aggregate(grouping_.group_of(index)) ? std::optional{grouping_.daily_limit()} : std::nullopt;
    }
    std::vector<Grouping::Move> moves;
    for (const auto& [index, number] : numbers) moves.push_back({index, std::nullopt, grouping_.group_of(index)});
    renumber(moves, stamp);
    for (const IncidentNumber number : all) {
        Incident& incident = incidents_.at(number);
        const IncidentRecord& was = *carried.known.at(number).record;
        CATENARY_ASSERT(incident.gathered, "each group has the number that it was reported with");
        incident.gathered->start_record();
        keep_words(incident, was);
        if (incident.record == was) touched_.erase(number);
    }
    for (const FindingIndex index : findings) {
        look_whole(index);
        if (!findings_[index].replace_evidence && findings_[index].fresh.empty()) changed_findings_.erase(index);
    }
}

/// What was found and never reported is reported now.
void Incidents::report_others(const Carried& carried) {
    for (const FindingIndex index : findings_.all()) {
        if (carried.findings.contains(findings_[index].id)) continue;
        rewrite(index);
        if (findings_[index].mode == Mode::production && !findings_[index].waiting_until) find_incident(index);
    }
}

}  // namespace catenary::engine
