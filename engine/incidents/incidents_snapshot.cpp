#include "engine/incidents/incidents.hpp"
#include "engine/model/assert.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/last_values.hpp"

namespace catenary::engine {

bool Incidents::is_written() const {
    return changed_findings_.empty() && finished_.empty() && changed_incidents_.empty() && dropped_records_.empty() && stored_edits_.empty() &&
           activity_.empty();
}

void Incidents::save(SnapshotWriter& out) const {
    CATENARY_ASSERT(leaving_.empty() && waiting_again_.empty() && inherited_.empty() && settled_revised_.empty() && new_connections_.empty() &&
                        near_closed_.empty() && look_for_related_.empty() && touched_.empty() && !by_hand_,
                    "what is saved is settled");
    out(listed_entities_, findings_, grouping_, hands_, incidents_.size());
    for (const auto& [number, incident] : incidents_) {
        out(number, incident, incident.gathered != nullptr);
        if (!incident.gathered) continue;
        out(incident.gathered->members().size());
        for (const auto& [order, finding] : incident.gathered->members()) out(finding);
    }
    counters(out, *this);
}

void Incidents::load(SnapshotReader& in) {
    in(listed_entities_);
    SnapshotReader::require(listed_entities_ > 0, "incidents list no entities");
    findings_.load(in, held_, dictionary_);
    load_links();
    in(grouping_, hands_);
    for (std::size_t left = in.count(); left > 0; --left) {
        IncidentNumber number;
        in(number);
        const auto [place, is_new] = incidents_.try_emplace(number);
        SnapshotReader::require(is_new, "an incident is repeated");
        Incident& incident = place->second;
        bool has_gathered = false;
        in(incident, has_gathered);
        for (const FindingId& id : incident.ended) ended_.insert_or_assign(id, number);
        if (has_gathered) gather_again(incident, in);
        if (!incident.group) continue;
        SnapshotReader::require(numbers_.emplace(*incident.group, number).second, "two incidents are of one group");
    }
    counters(in, *this);

    for (const FindingIndex index : findings_.all()) {
        const Finding& finding = findings_[index];
        SnapshotReader::require(!finding.settled || finding.incident.has_value(), "a finding of a closed incident has none");
        if (grouping_.contains(index)) {
            SnapshotReader::require(numbers_.contains(grouping_.group_of(index)), "a group has no incident");
            SnapshotReader::require(grouping_.is_put_as(index, finding.pattern->id, finding.order()), "a finding is grouped as another");
        }
        for (const LateSignal& one : finding.late_answers) {
            SnapshotReader::require(one.condition < finding.pattern->absent.size(), "a finding tells of an unknown condition");
        }
        SnapshotReader::require(!finding.waiting_until || (!finding.incident && !grouping_.contains(index)), "a finding waits and is in an incident");
        if (!finding.incident) continue;
        const auto incident = incidents_.find(*finding.incident);
        SnapshotReader::require(incident != incidents_.end() && incident->second.gathered, "a finding is of an unknown incident");
        const auto& members = incident->second.gathered->members();
        const auto member = members.find(finding.order());
        SnapshotReader::require(member != members.end() && member->second == index, "a finding is not among those of its incident");
    }
}

/// What findings are found by: the signals that are their evidence, and their principals.
void Incidents::load_links() {
    for (const FindingIndex index : findings_.all()) {
        const Finding& finding = findings_[index];
        evidence_held_ += finding.evidence.size();
        finding.evidence.each([&](SignalHandle signal) { held_.attach(signal, index); });
        if (!finding.indexed) continue;
        for (const EntityId principal : finding.principals) principals_.add(principal, finding.order(), index);
    }
}

void Incidents::gather_again(Incident& incident, SnapshotReader& in) {
    incident.gathered = std::make_unique<Gathered>(held_, dictionary_, listed_entities_);
    for (std::size_t left = in.count(); left > 0; --left) {
        FindingIndex finding;
        in(finding);
        SnapshotReader::require(!incident.gathered->members().contains(findings_[finding].order()), "a finding is repeated");
        incident.gathered->join(finding, findings_[finding]);
    }
}

}  // namespace catenary::engine
