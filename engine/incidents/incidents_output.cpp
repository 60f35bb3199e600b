#include "engine/incidents/incidents.hpp"

#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace catenary::engine {

void Incidents::change_scoring(const ScoringParameters& parameters) {
    if (scoring_ == parameters) return;
    scoring_ = parameters;
    for (const FindingIndex index : findings_.all()) mark(index);
}

void Incidents::change_listed_entities(std::size_t most) {
    const std::size_t fewest = std::min(most, listed_entities_);
    if (most == std::exchange(listed_entities_, most)) return;
    for (auto& [number, incident] : incidents_) {
        if (!incident.gathered || incident.as_stored) continue;
        incident.gathered->change_listed_entities(most);
        if (incident.gathered->entity_count() > fewest) touch(number);
    }
}

void Incidents::change_daily_limit(std::size_t limit) {
    if (limit == grouping_.daily_limit()) return;
    grouping_.change_daily_limit(limit);
    for (auto& [number, incident] : incidents_) {  // a closed one stays as it was
        if (!incident.is_aggregate() || !incident.group) continue;
        incident.beyond = limit;
        touch(number);
    }
}

void Incidents::refresh(Incident& incident) {
    if (!incident.gathered || incident.gathered->members().empty() || incident.as_stored) return;
    Gathered& gathered = *incident.gathered;
    for (const FindingIndex index : gathered.take_unranked()) {
        if (!findings_.contains(index) || !findings_[index].score_stale) continue;
        Finding& finding = findings_[index];
        const auto member = gathered.members().find(finding.order());
        if (member == gathered.members().end() || member->second != index) continue;
        const double former = finding.probability;
        finding.probability = score_of(finding, held_, scoring_).probability;
        finding.score_stale = false;
        gathered.rescored(index, former, finding);
    }
    if (gathered.described_leading() != gathered.leading()) {
        const Finding& leading = findings_[gathered.leading()];
        gathered.describe_leading(finding_record(leading, score_of(leading, held_, scoring_), held_, dictionary_));
    }
    gathered.describe(incident.record, incident.beyond);
    if (incident.title) incident.record.title = *incident.title;
    if (incident.severity) incident.record.severity = *incident.severity;
}

Incidents::Written Incidents::written(const Finding& finding) {
    Written result;
    result.change.record = finding_record(finding, score_of(finding, held_, scoring_), held_, dictionary_);
    result.change.replace_evidence = finding.replace_evidence;
    const auto add = [&](SignalHandle signal, std::uint8_t stage) {
        result.evidence.push_back({finding.id, held_.window().ref(signal), finding.pattern->stages[stage].id});
    };
    if (finding.replace_evidence) {
        for (const auto& [signal, stage] : finding.evidence.sorted(held_.window())) add(signal, stage);
        return result;
    }
    auto fresh = finding.fresh;
    std::sort(fresh.begin(), fresh.end(), [&](SignalHandle left, SignalHandle right) { return held_.window().before(left, right); });
    for (const SignalHandle signal : fresh) add(signal, finding.evidence.stage(signal));
    return result;
}

void Incidents::write_finding(FindingIndex index) {
    Finding& finding = findings_[index];
    finished_[finding.id] = written(finding);
    finding.replace_evidence = false;
    finding.fresh.clear();
}

void Incidents::write(TenantEffects& effects) {
    effects.incidents.reserve(changed_incidents_.size() + dropped_records_.size());
    for (const IncidentNumber number : changed_incidents_) {
        const auto found = incidents_.find(number);
        if (found == incidents_.end()) continue;
        refresh(found->second);
        effects.incidents.push_back(found->second.record);
    }
    effects.incidents.insert(effects.incidents.end(), std::make_move_iterator(dropped_records_.begin()), std::make_move_iterator(dropped_records_.end()));
    dropped_records_.clear();
    effects.stored_edits.insert(effects.stored_edits.end(), std::make_move_iterator(stored_edits_.begin()), std::make_move_iterator(stored_edits_.end()));
    stored_edits_.clear();
    for (const FindingIndex index : std::exchange(changed_findings_, {})) write_finding(index);
    for (auto& [id, written] : finished_) {
        effects.findings.push_back(std::move(written.change));
        effects.evidence.insert(effects.evidence.end(), std::make_move_iterator(written.evidence.begin()), std::make_move_iterator(written.evidence.end()));
    }
    finished_.clear();
    changed_incidents_.clear();
    effects.activity.insert(effects.activity.end(), std::make_move_iterator(activity_.begin()), std::make_move_iterator(activity_.end()));
    activity_.clear();
}

void Incidents::forget(Timestamp cutoff, EntryStamp stamp, const std::function<bool(const Finding&)>& is_awaited) {
    for (const IncidentNumber number : with_findings()) {  // not all: tens of thousands are kept of which only the record is left
        Incident& incident = incidents_.at(number);
        if (incident.gathered->last_activity() >= cutoff) continue;
        const auto& findings = incident.gathered->members();
        if (std::any_of(findings.begin(), findings.end(), [&](const auto& member) { return is_awaited(findings_[member.second]); })) continue;
        if (changed_incidents_.contains(number) || incident.record.signal_count == 0) refresh(incident);
        dropped_groups_.add(digest_text(*incident.gathered));
        const auto members = std::exchange(incident.gathered, nullptr)->members();
        if (incident.group) numbers_.erase(*incident.group);
        incident.group.reset();
        for (auto member = members.rbegin(); member != members.rend(); ++member) {  // the last first: nobody has to follow another first one
            const FindingIndex index = member->second;
            dropped_findings_.add(digest_text(findings_[index]));
            note_ended(number, findings_[index].id);
            if (changed_findings_.contains(index)) write_finding(index);
            if (grouping_.contains(index)) grouping_.retire(index);
            erase(index);
        }
    }
    for (const FindingIndex index : findings_.all()) {
        const Finding& finding = findings_[index];
        if (finding.incident || finding.end >= cutoff || is_awaited(finding)) continue;  // flighting and waiting ones are in no incident
        dropped_findings_.add(digest_text(finding));
        if (changed_findings_.contains(index)) write_finding(index);
        erase(index);
    }
    settle(stamp);
    grouping_.forget_days(cutoff);
    std::erase_if(superseded_, [&](const auto& entry) { return entry.second < cutoff; });
    if (!hands_.empty()) {
        std::set<FindingId, FindingIdLess> ids;
        for (const FindingIndex index : findings_.all()) ids.insert(findings_[index].id);
        hands_.forget(cutoff, [&](const FindingId& id) { return ids.contains(id); });
    }
    drop_oldest_records();
}

std::set<IncidentNumber> Incidents::with_findings() const {
    std::set<IncidentNumber> numbers;
    for (const FindingIndex index : findings_.all()) {
        if (findings_[index].incident) numbers.insert(*findings_[index].incident);
    }
    return numbers;
}

void Incidents::drop_oldest_records() {
    std::size_t kept = incidents_.size() - with_findings().size();
    for (auto place = incidents_.begin(); kept > most_records && place != incidents_.end();) {
        if (place->second.gathered) {
            ++place;
            continue;
        }
        if (changed_incidents_.erase(place->first) > 0) dropped_records_.push_back(std::move(place->second.record));
        for (const FindingId& id : place->second.ended) {
            if (const auto known = ended_.find(id); known != ended_.end() && known->second == place->first) ended_.erase(known);
        }
        place = incidents_.erase(place);
        --kept;
    }
}

std::string Incidents::digest_text(const Finding& finding) const {
    std::string text = to_string(finding.id.value());
    const auto part = [&text](std::string_view value) {
        text += std::to_string(value.size());  // lengths keep values that hold separators apart
        text += ':';
        text += value;
    };
    part(finding.pattern->id);
    text += ' ' + std::to_string(finding.pattern->version) + ' ' + to_string(finding.mode);
    text += ' ' + std::to_string(to_micros(finding.start)) + ' ' + std::to_string(to_micros(finding.end));
    text += ' ' + std::to_string(std::llround(score_of(finding, held_, scoring_).total_bits * 1e9));
    for (const EntityKey& principal : listed_principals(finding, dictionary_)) {
        part(principal.kind);
        part(principal.value);
    }
    for (const auto& [signal, stage] : finding.evidence.sorted(held_.window())) {
        text += ' ' + std::to_string(to_micros(held_.window()[signal].time)) + ' ' + std::to_string(stage);
        part(held_.window().source(signal));
        part(held_.window().id(signal));
    }
    if (finding.waiting_until) text += " until " + std::to_string(to_micros(*finding.waiting_until));
    for (const auto& [signal, condition] : finding.late_answers) {
        text += " late " + std::to_string(condition) + ' ' + std::to_string(to_micros(signal.time));
        part(signal.source);
        part(signal.id);
    }
    return text;
}

std::string Incidents::digest_text(const Gathered& group) const {
    std::vector<std::string> ids;
    for (const auto& [order, index] : group.members()) ids.push_back(to_string(order.id.value()));
    std::sort(ids.begin(), ids.end());
    std::string text;
    for (const std::string& id : ids) text += id + '\n';
    return text;
}

void Incidents::digest(DigestSum& findings, DigestSum& groups) const {
    findings.add(dropped_findings_);
    groups.add(dropped_groups_);
    for (const FindingIndex index : findings_.all()) findings.add(digest_text(findings_[index]));
    for (const auto& [number, incident] : incidents_) {
        if (incident.gathered && !incident.gathered->members().empty()) groups.add(digest_text(*incident.gathered));
    }
}

std::size_t Incidents::bytes() const {
    constexpr std::size_t an_incident = sizeof(Incident) + 1'024;
    constexpr std::size_t a_finding = sizeof(Finding) + 512;
    constexpr std::size_t an_evidence = 96;  // its place in the finding, the incident and the signal
    return ended_.size() * (sizeof(FindingId) + sizeof(decltype(ended_)::value_type)) + hands_.bytes() + grouping_.bytes() + incidents_.size() * an_incident +
           findings_.size() * a_finding + evidence_held_ * an_evidence;
}

}  // namespace catenary::engine
