#include "engine/incidents/incidents.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <utility>

namespace catenary::engine {

std::vector<FindingId> Incidents::found_with(SignalHandle signal, const Pattern& pattern) const {
    std::vector<FindingId> ids;
    for (const FindingIndex index : held_.findings(signal)) {
        const Finding& finding = findings_[index];
        const bool is_of_pattern = finding.pattern->id == pattern.id && finding.pattern->version == pattern.version;
        if (is_of_pattern && findings_.reported(finding.matched_as) == index) ids.push_back(finding.matched_as);
    }
    return ids;
}

std::vector<SignalHandle> Incidents::evidence(const FindingId& matched_as) const {
    std::vector<SignalHandle> signals;
    const auto index = findings_.reported(matched_as);
    if (!index) return signals;
    for (const auto& [signal, stage] : findings_[*index].evidence.sorted(held_.window())) signals.push_back(signal);
    return signals;
}

/// What was and is no more, superseded by the first one that has some of its evidence.
std::vector<FindingDelta> Incidents::superseded_by(std::span<const FindingDelta> found, std::span<const FindingId> former) const {
    std::map<FindingId, std::optional<FindingId>, FindingIdLess> gone;
    for (const FindingId& id : former) gone.emplace(id, std::nullopt);
    for (const FindingDelta& finding : found) gone.erase(finding.id);
    for (const FindingDelta& finding : found) {
        for (const StageEvidence& evidence : finding.added) {
            for (const FindingIndex index : held_.findings(evidence.signal)) {
                const auto place = gone.find(findings_[index].matched_as);
                if (place != gone.end() && !place->second) place->second = finding.id;
            }
        }
    }
    std::vector<FindingDelta> deltas;
    for (const auto& [id, by] : gone) {
        FindingDelta delta{};
        delta.kind = FindingDelta::Kind::superseded;
        delta.id = id;
        delta.superseded_by = by;
        deltas.push_back(std::move(delta));
    }
    return deltas;
}

bool Incidents::is_as_found(FindingIndex index, const FindingDelta& delta) const {
    const Finding& finding = findings_[index];
    if (finding.start != delta.start || finding.end != delta.end || finding.waiting_until != delta.waiting_until) return false;
    if (finding.principals != delta.principals || finding.evidence.size() != delta.added.size()) return false;
    const auto is_told = [&](const LateAnswer& answer) {
        return std::find(finding.late_answers.begin(), finding.late_answers.end(), LateSignal{held_.window().ref(answer.signal), answer.condition}) !=
               finding.late_answers.end();
    };
    if (finding.late_answers.size() != delta.late_answers.size() || finding.more_late_answers != delta.more_late_answers) return false;
    if (!std::all_of(delta.late_answers.begin(), delta.late_answers.end(), is_told)) return false;
    return std::all_of(delta.added.begin(), delta.added.end(), [&](const StageEvidence& evidence) {
        return finding.evidence.contains(evidence.signal) && finding.evidence.stage(evidence.signal) == evidence.stage;
    });
}

/// Of a whole finding in memory: only what came to it, where nothing went.
void Incidents::tell_change(FindingIndex index, FindingDelta& delta) const {
    const Evidence& known = findings_[index].evidence;
    std::vector<StageEvidence> fresh;
    std::size_t kept = 0;
    for (const StageEvidence& evidence : delta.added) {
        const bool was_there = known.contains(evidence.signal);
        if (was_there && known.stage(evidence.signal) < evidence.stage) break;
        if (was_there) ++kept;
        if (!was_there || known.stage(evidence.signal) != evidence.stage) fresh.push_back(evidence);
    }
    delta.kind = kept == known.size() ? FindingDelta::Kind::extended : FindingDelta::Kind::revised;
    if (delta.kind == FindingDelta::Kind::extended) delta.added = std::move(fresh);
}

/// Those that are not in memory, but in an incident that ended, and its number.
std::map<FindingId, IncidentNumber, FindingIdLess> Incidents::ended_among(std::span<const FindingDelta> found) const {
    std::map<FindingId, IncidentNumber, FindingIdLess> ended;
    for (const FindingDelta& finding : found) {
        if (findings_.reported(finding.id) || findings_.with_id(finding.id)) continue;
        if (const auto known = ended_.find(finding.id); known != ended_.end()) ended.emplace(finding.id, known->second);
    }
    return ended;
}

void Incidents::note_ended(IncidentNumber number, const FindingId& id) {
    incidents_.at(number).ended.push_back(id);
    IncidentNumber& newest = ended_[id];
    newest = std::max(newest, number);
}

namespace {

using Signals = boost::unordered_flat_set<SignalHandle, std::hash<SignalHandle>>;

/// What former findings have as evidence and of those found now only ones that ended: those have to be continued, or it would be evidence of nothing.
Signals left_to_ended(const Incidents& incidents, const Incidents::Rematched& rematched, const std::map<FindingId, IncidentNumber, FindingIdLess>& ended) {
    Signals left;
    if (ended.empty() || !rematched.is_whole) return left;
    for (const FindingId& id : rematched.former) {
        for (const SignalHandle signal : incidents.evidence(id)) left.insert(signal);
    }
    for (const FindingDelta& finding : rematched.found) {
        if (ended.contains(finding.id)) continue;
        for (const StageEvidence& evidence : finding.added) left.erase(evidence.signal);
    }
    return left;
}

}  // namespace

void Incidents::take_rematched(const Rematched& rematched, const std::shared_ptr<const Pattern>& pattern, Mode mode) {
    const auto ended = ended_among(rematched.found);
    std::vector<FindingDelta> deltas;
    if (rematched.is_whole) deltas = superseded_by(rematched.found, rematched.former);
    std::vector<const FindingDelta*> continued;
    const Signals left = left_to_ended(*this, rematched, ended);
    const auto is_news = [&](const StageEvidence& evidence) {
        return left.contains(evidence.signal) || std::find(rematched.seeds.begin(), rematched.seeds.end(), evidence.signal) != rematched.seeds.end();
    };
    for (const FindingDelta& finding : rematched.found) {
        if (ended.contains(finding.id)) {
            if (std::any_of(finding.added.begin(), finding.added.end(), is_news)) continued.push_back(&finding);
            continue;
        }
        const auto known = taker_of(finding.id);
        if (known && is_as_found(*known, finding)) continue;
        FindingDelta delta = finding;
        if (known) tell_change(*known, delta);
        else delta.kind = FindingDelta::Kind::opened;
        if (delta.kind != FindingDelta::Kind::revised || rematched.is_whole) deltas.push_back(std::move(delta));
    }
    take(deltas, pattern, mode, FoundAmong::stored);
    for (const FindingDelta* finding : continued) continue_ended(*finding, ended.at(finding->id), pattern, mode);
}

void Incidents::continue_ended(const FindingDelta& delta, IncidentNumber ended, const std::shared_ptr<const Pattern>& pattern, Mode mode) {
    const std::uint32_t number = next_continuation(delta.id, 0);
    const FindingIndex index = add_found(continuation_id(delta.id, number), number, delta, pattern, mode, FoundAmong::stored);
    if (mode != Mode::production || delta.waiting_until) return;
    start_grouping(index);
    near_closed_.emplace(index, ended);
}

}  // namespace catenary::engine
