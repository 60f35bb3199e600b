#include "engine/incidents/incidents.hpp"
#include "engine/incidents/wording.hpp"

namespace catenary::engine {

namespace {

std::string said_labels(const std::vector<std::string>& labels) { return labels.empty() ? "none" : said_list(labels, labels.size()); }

std::string said_outcome(std::optional<Classification> classification, const std::string& reason) {
    std::string detail = classification ? to_string(*classification) : "";
    if (!reason.empty()) detail += (detail.empty() ? "" : ": ") + reason;
    return detail;
}

}  // namespace

void Incidents::edit(const IncidentEdit& edit, EntryStamp stamp) {
    const IncidentNumber number = resolve(edit.number);
    if (was_dropped(number)) return edit_dropped(number, edit, stamp);
    const auto found = incidents_.find(number);
    if (found == incidents_.end()) return;
    IncidentRecord& record = found->second.record;
    touch(number);
    if (edit.status && *edit.status != record.status) change_status(number, *edit.status, stamp, edit.actor);
    if (edit.classification || edit.reason) {
        const auto classification = edit.classification ? edit.classification : record.classification;
        const std::string& reason = edit.reason ? *edit.reason : record.classification_reason;
        if (classification != record.classification || reason != record.classification_reason) {
            std::string detail = said_outcome(classification, reason);
            record.classification = classification;
            record.classification_reason = reason;
            note(number, stamp, "classified", std::move(detail), edit.actor);
        }
    }
    if (edit.owner && *edit.owner != record.owner) {
        record.owner = *edit.owner;
        note(number, stamp, "owner_changed", record.owner.empty() ? "nobody" : record.owner, edit.actor);
    }
    if (edit.labels && *edit.labels != record.labels) {
        record.labels = *edit.labels;
        note(number, stamp, "labels_changed", said_labels(record.labels), edit.actor);
    }
    // Title and severity are compared with what was edited before: the record has what was computed only when effects are taken, which must not show.
    if (edit.title && found->second.title != edit.title) {
        found->second.title = *edit.title;
        record.title = *edit.title;
        note(number, stamp, "title_changed", *edit.title, edit.actor);
    }
    if (edit.severity && found->second.severity != edit.severity) {
        found->second.severity = edit.severity;
        record.severity = *edit.severity;
        note(number, stamp, "severity_changed", std::string{to_string(*edit.severity)}, edit.actor);
    }
}

bool Incidents::was_dropped(IncidentNumber number) const { return number.value() >= 1 && number.value() <= last_number_ && !incidents_.contains(number); }

/// What it was before is not known here: the history says what the edit set, whether or not it was so already.
void Incidents::edit_dropped(IncidentNumber number, const IncidentEdit& edit, EntryStamp stamp) {
    stored_edits_.push_back({edit, stamp.position, stamp.admitted});
    stored_edits_.back().edit.number = number;
    const auto line = [&](std::string what, std::string detail) { note(number, stamp, std::move(what), std::move(detail), edit.actor); };
    if (edit.status) line("status_changed", std::string{"→ "} + to_string(*edit.status));
    if (edit.classification || edit.reason) line("classified", said_outcome(edit.classification, edit.reason.value_or("")));
    if (edit.owner) line("owner_changed", edit.owner->empty() ? "nobody" : *edit.owner);
    if (edit.labels) line("labels_changed", said_labels(*edit.labels));
    if (edit.title) line("title_changed", *edit.title);
    if (edit.severity) line("severity_changed", std::string{to_string(*edit.severity)});
}

void Incidents::comment(const IncidentComment& comment, EntryStamp stamp) {
    const IncidentNumber number = resolve(comment.number);
    if (was_dropped(number)) {
        IncidentEdit nothing;
        nothing.number = number;
        stored_edits_.push_back({nothing, stamp.position, stamp.admitted});  // its revision grows
    } else if (incidents_.contains(number)) {
        touch(number);
    } else {
        return;
    }
    note(number, stamp, "commented", comment.text, comment.actor);
}

void Incidents::change_status(IncidentNumber number, IncidentStatus status, EntryStamp stamp, const std::string& actor) {
    IncidentRecord& record = incidents_.at(number).record;
    const IncidentStatus former = record.status;
    record.status = status;
    note(number, stamp, "status_changed", std::string{to_string(former)} + " → " + to_string(status), actor);
    if (status == IncidentStatus::closed) leave_partition(number);
    if (former != IncidentStatus::closed) return;
    record.classification.reset();  // what was concluded holds no longer
    record.classification_reason.clear();
    enter_partition(number);
}

/// The findings of an incident that was closed stay with it and connect nothing any more.
void Incidents::leave_partition(IncidentNumber number) {
    Incident& incident = incidents_.at(number);
    if (!incident.group) return;
    refresh(incident);
    numbers_.erase(*incident.group);
    incident.group.reset();
    const auto& members = incident.gathered->members();
    for (auto member = members.rbegin(); member != members.rend(); ++member) {  // the last first: nobody has to follow another first one
        findings_[member->second].settled = true;
        grouping_.retire(member->second);
    }
}

void Incidents::enter_partition(IncidentNumber number) {
    Incident& incident = incidents_.at(number);
    if (!incident.gathered || incident.as_stored) return;  // merged, emptied, or its findings are no longer in memory, or not all of them
    const auto members = std::exchange(incident.gathered, nullptr)->members();
    for (const auto& [order, index] : members) findings_[index].settled = false;
    for (const auto& [order, index] : members) {
        Finding& finding = findings_[index];
        start_grouping(index);
        // The continuation that took later evidence, unless it was closed in turn, has no reason to stand beside it any more.
        const auto later = findings_.reported(finding.matched_as);
        if (!later || *later == index || findings_[*later].settled || findings_[*later].continuation <= finding.continuation) continue;
        const Finding& continuation = findings_[*later];
        for (const auto& [signal, stage] : continuation.evidence.sorted(held_.window())) add_evidence(index, {signal, stage});
        change_span(index, continuation.start, continuation.end);
        change_principals(index, continuation.principals);
        const FindingIndex superseded = *later;
        findings_.report_to(finding.matched_as, index);
        supersede(superseded, std::nullopt);
        leaving_.back().successor = finding.id;
        if (findings_[superseded].incident) inherited_[index].insert(*findings_[superseded].incident);
        mark(index);
    }
}

}  // namespace catenary::engine
