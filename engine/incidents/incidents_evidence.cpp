#include "engine/incidents/incidents.hpp"
#include "engine/model/assert.hpp"

#include <boost/uuid/name_generator_sha1.hpp>

#include <algorithm>

namespace catenary::engine {

void Incidents::take(std::span<const FindingDelta> deltas, const std::shared_ptr<const Pattern>& pattern, Mode mode, FoundAmong among) {
    // Ids taken back first: what takes their place must not be compared with them.
    for (const FindingDelta& delta : deltas) {
        if (delta.kind == FindingDelta::Kind::superseded) supersede_reported(delta);
    }
    for (const FindingDelta& delta : deltas) {
        if (delta.kind == FindingDelta::Kind::superseded) continue;
        if (waits_again(delta)) {
            supersede_reported(delta);
            waiting_again_.push_back({delta, pattern, mode});
            continue;
        }
        if (const auto known = taker_of(delta.id)) update(*known, delta, mode);
        else open(delta, pattern, mode, among);
    }
}

bool Incidents::waits_again(const FindingDelta& delta) const {
    if (!delta.waiting_until) return false;
    const auto known = findings_.reported(delta.id);
    return known && !findings_[*known].waiting_until && !findings_[*known].settled;
}

/// What a closed incident holds stays there when matching takes it back. When it is found again, that is the same finding once more.
std::optional<FindingIndex> Incidents::taker_of(const FindingId& matched_as) {
    auto taker = findings_.reported(matched_as);
    if (taker) return taker;
    taker = findings_.with_id(matched_as);
    if (taker) findings_.report_to(matched_as, *taker);
    return taker;
}

FindingIndex Incidents::add_found(const FindingId& id, std::uint32_t continuation, const FindingDelta& delta, const std::shared_ptr<const Pattern>& pattern,
                                  Mode mode, FoundAmong among) {
    Finding finding;
    finding.id = id;
    finding.continuation = continuation;
    finding.matched_as = delta.id;
    finding.pattern = pattern;
    finding.mode = mode;
    finding.start = delta.start;
    finding.end = delta.end;
    finding.principals = delta.principals;
    finding.replace_evidence = among == FoundAmong::stored || superseded_.contains(id) || delta.start <= written_until_;
    const FindingIndex index = findings_.add(std::move(finding));
    for (const StageEvidence& added : delta.added) add_evidence(index, added);
    take_absence(index, delta);
    mark(index);
    return index;
}

void Incidents::open(const FindingDelta& delta, const std::shared_ptr<const Pattern>& pattern, Mode mode, FoundAmong among) {
    const FindingIndex index = add_found(delta.id, 0, delta, pattern, mode, among);
    if (mode == Mode::production && !delta.waiting_until) find_incident(index);
}

/// Of a finding that is in none yet.
void Incidents::find_incident(FindingIndex index) {
    const auto closed = closed_incident_covering(findings_[index]);
    if (!closed) return start_grouping(index);
    findings_[index].incident = closed;
    findings_[index].settled = true;
    Incident& incident = incidents_.at(*closed);
    incident.gathered->join(index, findings_[index]);
    if (incident.as_stored) ++incident.record.finding_count;  // all else stays as it was told
    touch(*closed);
}

/// What absence says of the finding.
void Incidents::take_absence(FindingIndex index, const FindingDelta& delta) {
    Finding& finding = findings_[index];
    finding.waiting_until = delta.waiting_until;
    std::vector<LateSignal> answers;
    for (const LateAnswer& answer : delta.late_answers) answers.push_back({held_.window().ref(answer.signal), answer.condition});
    if (finding.late_answers == answers && finding.more_late_answers == delta.more_late_answers) return;
    finding.late_answers = std::move(answers);
    finding.more_late_answers = delta.more_late_answers;
    mark(index);  // the summary of its incident tells of it, also of a closed one
}

void Incidents::update(FindingIndex index, const FindingDelta& delta, Mode mode) {
    const bool waited = findings_[index].waiting_until.has_value();
    if (findings_[index].settled) {
        if (!delta.waiting_until) take_absence(index, delta);
        const Evidence& seen = findings_[index].evidence;
        const auto is_new = [&](const StageEvidence& it) { return !seen.contains(it.signal); };
        if (std::none_of(delta.added.begin(), delta.added.end(), is_new)) return;
        index = continue_settled(index, delta.waiting_until.has_value());
    }
    take_absence(index, delta);
    const bool promoted = findings_[index].mode == Mode::flighting && mode == Mode::production;
    if (delta.kind == FindingDelta::Kind::extended) {
        for (const StageEvidence& added : delta.added) {
            add_evidence(index, added);
            findings_[index].hand = hands_.grown(findings_[index], findings_[index].hand, added.signal);
        }
    } else {
        replace_evidence(index, delta.added);
        findings_[index].hand = hands_.of(findings_[index]);
    }
    if (grouping_.contains(index)) grouping_.place(index, findings_[index].hand);
    change_span(index, delta.start, delta.end);
    change_principals(index, delta.principals);
    mark(index);
    if (promoted) findings_[index].mode = mode;
    if (delta.waiting_until || findings_[index].mode != Mode::production) return;
    if (waited) find_incident(index);
    else if (promoted) start_grouping(index);
}

void Incidents::start_grouping(FindingIndex index) {
    Finding& finding = findings_[index];
    grouping_.put(index, finding.pattern->id, finding.order(), finding.end);
    finding.hand = hands_.of(finding);
    grouping_.place(index, finding.hand);
    finding.evidence.each([&](SignalHandle signal) { connect(index, signal); });
}

FindingId Incidents::continuation_id(const FindingId& matched_as, std::uint32_t number) {
    boost::uuids::name_generator_sha1 named{matched_as.value()};
    return FindingId{named("continued " + std::to_string(number))};
}

/// A closed incident may hold a continuation that matching took back, and one that ended may hold the continuation of a finding that is still in memory.
std::uint32_t Incidents::next_continuation(const FindingId& matched_as, std::uint32_t after) const {
    const auto is_taken = [&](const FindingId& id) { return findings_.with_id(id) || has_ended(id); };
    std::uint32_t number = after + 1;
    while (is_taken(continuation_id(matched_as, number))) ++number;
    return number;
}

/// It repeats the evidence of the finding that it continues, takes the reports about it from now on, and is in no incident yet.
FindingIndex Incidents::add_continuation(FindingIndex of, std::uint32_t number) {
    const Finding& settled = findings_[of];
    Finding finding;
    finding.id = continuation_id(settled.matched_as, number);
    finding.continuation = number;
    finding.matched_as = settled.matched_as;
    finding.pattern = settled.pattern;
    finding.mode = settled.mode;
    finding.start = settled.start;
    finding.end = settled.end;
    finding.principals = settled.principals;
    finding.late_answers = settled.late_answers;
    finding.more_late_answers = settled.more_late_answers;
    finding.replace_evidence = true;  // one of that number may have waited, been written and been dropped
    const auto evidence = settled.evidence.sorted(held_.window());
    const FindingIndex continuation = findings_.add(std::move(finding));
    for (const auto& [signal, stage] : evidence) add_evidence(continuation, {signal, stage});
    return continuation;
}

/// `waits`: absence is yet to be judged of it; until then it takes part in no incident, as any finding.
FindingIndex Incidents::continue_settled(FindingIndex index, bool waits) {
    const Finding& settled = findings_[index];
    const FindingIndex continuation = add_continuation(index, next_continuation(settled.matched_as, settled.continuation));
    if (!waits) start_grouping(continuation);
    return continuation;
}

void Incidents::supersede_reported(const FindingDelta& delta) {
    const auto known = findings_.reported(delta.id);
    if (!known) return;
    if (!findings_[*known].settled) return supersede(*known, delta.superseded_by);
    findings_.stop_reports(delta.id);
    if (delta.superseded_by) settled_revised_.emplace_back(*known, *delta.superseded_by);
}

void Incidents::supersede(FindingIndex index, std::optional<FindingId> successor) {
    const Finding& finding = findings_[index];
    if (findings_.reported(finding.matched_as) == index) findings_.stop_reports(finding.matched_as);
    if (grouping_.contains(index)) grouping_.remove(index);
    else if (finding.settled) grouping_.release(finding.pattern->id, finding.order());
    leaving_.push_back({index, successor});
    if (finding.incident) touch(*finding.incident);
}

void Incidents::promote(const Pattern& pattern, Timestamp effective_from) {
    for (const FindingIndex index : findings_.all()) {
        Finding& finding = findings_[index];
        if (finding.pattern->id != pattern.id || finding.pattern->version != pattern.version) continue;
        if (finding.mode != Mode::flighting || finding.end <= effective_from) continue;
        finding.mode = Mode::production;
        if (!finding.waiting_until) start_grouping(index);
        mark(index);
    }
}

void Incidents::end_version(const Pattern& former, Timestamp effective_from, const Pattern& successor) {
    std::vector<FindingIndex> ended;
    for (const FindingIndex index : findings_.all()) {
        const Finding& finding = findings_[index];
        if (finding.pattern->id == former.id && finding.pattern->version == former.version && finding.end > effective_from && !finding.settled)
            ended.push_back(index);
    }
    for (const FindingIndex index : ended) {
        std::optional<FindingOrder> earliest;
        findings_[index].evidence.each([&](SignalHandle signal) {
            for (const FindingIndex other : held_.findings(signal)) {
                const Finding& there = findings_[other];
                if (there.pattern->id != successor.id || there.pattern->version != successor.version) continue;
                if (!earliest || there.order() < *earliest) earliest = there.order();
            }
        });
        supersede(index, earliest ? std::optional{earliest->id} : std::nullopt);
    }
}

void Incidents::end_waiting(const Pattern& pattern) {
    for (const FindingIndex index : findings_.all()) {
        const Finding& finding = findings_[index];
        if (!finding.waiting_until || finding.pattern->id != pattern.id || finding.pattern->version != pattern.version) continue;
        if (findings_.reported(finding.matched_as) == index) supersede(index, std::nullopt);
    }
}

void Incidents::add_evidence(FindingIndex index, StageEvidence added) {
    Finding& finding = findings_[index];
    switch (finding.evidence.add(added.signal, added.stage, held_, dictionary_)) {
        case Evidence::Added::is_new:
            link(index, added.signal);
            finding.fresh.push_back(added.signal);
            break;
        case Evidence::Added::earlier_stage: finding.replace_evidence = true; break;
        case Evidence::Added::nothing: break;
    }
}

void Incidents::replace_evidence(FindingIndex index, std::span<const StageEvidence> whole) {
    Finding& finding = findings_[index];
    std::vector<std::pair<SignalHandle, std::uint8_t>> wanted;
    boost::unordered_flat_map<SignalHandle, std::uint8_t, std::hash<SignalHandle>> stages;
    for (const auto& [signal, stage] : whole) {
        wanted.emplace_back(signal, stage);
        stages.emplace(signal, stage);
    }
    std::vector<SignalHandle> gone = finding.evidence.by_handle();
    std::erase_if(gone, [&](SignalHandle signal) { return stages.contains(signal); });
    for (const auto& [signal, stage] : stages) {
        if (!finding.evidence.contains(signal)) link(index, signal);
    }
    finding.evidence.rebuild(std::move(wanted), held_, dictionary_);
    for (const SignalHandle signal : gone) unlink(index, signal);
    finding.replace_evidence = true;
    finding.fresh.clear();
}

void Incidents::link(FindingIndex index, SignalHandle signal) {
    held_.take(signal);
    held_.attach(signal, index);
    ++evidence_held_;
    if (Gathered* gathered = gathered_of(findings_[index])) gathered->add_signal(signal);
    if (grouping_.contains(index)) connect(index, signal);
}

void Incidents::connect(FindingIndex index, SignalHandle signal) {
    for (const FindingIndex other : held_.findings(signal)) {
        if (other == index) continue;
        if (grouping_.contains(other)) {
            grouping_.connect(index, other);
            new_connections_.insert(std::minmax(index, other));
        } else if (findings_[other].settled) {
            near_closed_.emplace(index, *findings_[other].incident);
        }
    }
}

void Incidents::unlink(FindingIndex index, SignalHandle signal) {
    if (grouping_.contains(index)) {
        for (const FindingIndex other : held_.findings(signal)) {
            if (other != index && grouping_.contains(other)) grouping_.disconnect(index, other);
        }
    }
    if (Gathered* gathered = gathered_of(findings_[index])) gathered->remove_signal(signal);
    held_.detach(signal, index);
    held_.give_back(signal);
    --evidence_held_;
}

void Incidents::change_span(FindingIndex index, Timestamp start, Timestamp end) {
    Finding& finding = findings_[index];
    if (finding.start == start && finding.end == end) return;
    const FindingOrder former = finding.order();
    const Timestamp former_end = finding.end;
    finding.start = start;
    finding.end = end;
    if (grouping_.contains(index)) grouping_.put(index, finding.pattern->id, finding.order(), end);
    if (Gathered* gathered = gathered_of(finding)) gathered->moved(index, former, former_end, finding);
    if (finding.indexed && former != finding.order()) {
        for (const EntityId principal : finding.principals) {
            principals_.remove(principal, former);
            principals_.add(principal, finding.order(), index);
        }
    }
    if (finding.related_until && end > *finding.related_until) look_for_related_.insert(index);
}

void Incidents::change_principals(FindingIndex index, std::vector<EntityId> principals) {
    Finding& finding = findings_[index];
    if (finding.principals == principals) return;
    std::vector<EntityId> gained;
    std::vector<EntityId> lost;
    std::set_difference(principals.begin(), principals.end(), finding.principals.begin(), finding.principals.end(), std::back_inserter(gained));
    std::set_difference(finding.principals.begin(), finding.principals.end(), principals.begin(), principals.end(), std::back_inserter(lost));
    if (Gathered* gathered = gathered_of(finding)) {
        for (const EntityId principal : gained) gathered->add_principal(principal);
        for (const EntityId principal : lost) gathered->remove_principal(principal);
    }
    if (finding.indexed) {
        for (const EntityId principal : gained) principals_.add(principal, finding.order(), index);
        for (const EntityId principal : lost) principals_.remove(principal, finding.order());
        if (!gained.empty()) look_whole(index);
    }
    finding.principals = std::move(principals);
}

/// The closed incident that has all evidence of a new finding already, if there is one; the smallest number of several.
std::optional<IncidentNumber> Incidents::closed_incident_covering(const Finding& finding) const {
    std::optional<std::set<IncidentNumber>> covering;
    finding.evidence.each([&](SignalHandle signal) {
        if (covering && covering->empty()) return;
        std::set<IncidentNumber> closed;
        for (const FindingIndex other : held_.findings(signal)) {
            if (findings_[other].settled && (!covering || covering->contains(*findings_[other].incident))) closed.insert(*findings_[other].incident);
        }
        covering = std::move(closed);
    });
    if (!covering || covering->empty()) return std::nullopt;
    return *covering->begin();
}

void Incidents::mark(FindingIndex index) {
    Finding& finding = findings_[index];
    if (finding.is_short) return;
    changed_findings_.insert(index);
    if (Gathered* gathered = gathered_of(finding)) {
        if (!finding.score_stale) gathered->unrank(index);
        gathered->changed(index);
        touch(*finding.incident);
    }
    finding.score_stale = true;
}

Gathered* Incidents::gathered_of(const Finding& finding) {
    if (!finding.incident) return nullptr;
    const auto found = incidents_.find(*finding.incident);
    return found == incidents_.end() ? nullptr : found->second.gathered.get();
}

}  // namespace catenary::engine
