#include "engine/incidents/incidents.hpp"
#include "engine/incidents/wording.hpp"
#include "engine/model/assert.hpp"

#include <algorithm>
#include <iterator>

namespace catenary::engine {

/// A group that the moves of one entry touched.
struct Incidents::Place {
    std::optional<IncidentNumber> former;  ///< its number before the entry
    std::set<IncidentNumber> candidates;   ///< numbers that its findings had
    std::size_t joined = 0;
    bool is_empty = false;  ///< its last finding left
    bool is_aggregate = false;
    bool stays = false;     ///< an aggregate, which may be large: it keeps its number whatever comes into it
    IncidentNumber number;  ///< from now on
    std::unique_ptr<Gathered> gathered;
};

void Incidents::settle(EntryStamp stamp) {
    for (const auto& [settled, successor] : settled_revised_) {
        // The id that takes over brought nothing new and joined the closed incident: the former one has nothing of its own left.
        const auto taker = findings_.reported(successor);
        if (taker && findings_[*taker].settled && findings_[*taker].incident == findings_[settled].incident) supersede(settled, successor);
    }
    for (const auto& [finding, successor] : leaving_) {
        const auto taker = successor ? findings_.reported(*successor) : std::nullopt;
        if (taker && findings_[finding].incident && !findings_[finding].settled) inherited_[*taker].insert(*findings_[finding].incident);
    }
    const auto moves = grouping_.settle();
    if (!moves.empty()) renumber(moves, stamp);
    announce_split(stamp);
    finish_leaving(stamp);
    for (const WaitingAgain& one : std::exchange(waiting_again_, {})) {
        // A closed incident may still hold the finding of that id: what waits is what goes beyond it.
        if (const auto known = taker_of(one.delta.id)) update(*known, one.delta, one.mode);
        else open(one.delta, one.pattern, one.mode, FoundAmong::window);
    }
    relate_found(moves);
    finish_touched(stamp);
    leaving_.clear();
    inherited_.clear();
    settled_revised_.clear();
    new_connections_.clear();
    near_closed_.clear();
    look_for_related_.clear();
    by_hand_.reset();
}

std::set<IncidentNumber> Incidents::former_numbers(FindingIndex index) const {
    std::set<IncidentNumber> numbers;
    if (findings_[index].incident) numbers.insert(*findings_[index].incident);
    if (const auto inherited = inherited_.find(index); inherited != inherited_.end()) numbers.insert(inherited->second.begin(), inherited->second.end());
    return numbers;
}

void Incidents::renumber(const std::vector<Grouping::Move>& moves, EntryStamp stamp) {
    Places places = affected_places(moves);
    claim_numbers(places, stamp);
    redirect_released(moves, places, stamp);
    apply_moves(moves, places, stamp);
}

Incidents::Places Incidents::affected_places(const std::vector<Grouping::Move>& moves) {
    Places places;
    for (const auto& [finding, from, to] : moves) {
        if (from) places.try_emplace(*from);
        if (!to) continue;
        Place& place = places[*to];
        ++place.joined;
        place.candidates.merge(former_numbers(finding));
    }
    for (auto& [group, place] : places) {
        if (const auto number = numbers_.find(group); number != numbers_.end()) place.former = number->second;
        const std::size_t members = grouping_.members(group).size();
        place.is_empty = members == 0;
        place.is_aggregate = grouping_.is_aggregate(group);
        if (place.former && members > place.joined) place.candidates.insert(*place.former);
        // What was an incident of its own is not what an aggregate goes on as, whatever people made of it.
        if (place.is_aggregate) std::erase_if(place.candidates, [&](IncidentNumber number) { return !incidents_.at(number).is_aggregate(); });
        place.stays = place.is_aggregate && place.former && place.candidates.contains(*place.former);
        if (!by_hand_) continue;
        const bool is_apart = by_hand_->apart && !place.is_empty && grouping_.hand_of(group) == by_hand_->apart;
        if (is_apart) place.candidates.erase(by_hand_->keeps);
    }
    return places;
}

void Incidents::claim_numbers(Places& places, EntryStamp stamp) {
    std::vector<std::pair<FindingOrder, Place*>> by_start;
    for (auto& [group, place] : places) {
        if (!place.is_empty) by_start.emplace_back(grouping_.members(group).begin()->first, &place);
    }
    std::sort(by_start.begin(), by_start.end(),
              [](const auto& left, const auto& right) { return left.second->stays != right.second->stays ? left.second->stays : left.first < right.first; });
    std::set<IncidentNumber> claimed;
    for (auto& [start, place] : by_start) {
        const bool keeps = by_hand_ && place->candidates.contains(by_hand_->keeps) && !claimed.contains(by_hand_->keeps);
        const auto free = keeps ? place->candidates.find(by_hand_->keeps)
                          : place->stays
                              ? place->candidates.find(*place->former)
                              : std::find_if(place->candidates.begin(), place->candidates.end(), [&](IncidentNumber it) { return !claimed.contains(it); });
        if (free != place->candidates.end()) {
            place->number = *free;
        } else {
            place->number = IncidentNumber{++last_number_};
            Incident& incident = incidents_[place->number];
            incident.record.number = place->number;
            incident.record.created = stamp.admitted;
            incident.record.revision = 0;
            incident.is_new = true;
        }
        const bool is_new = claimed.insert(place->number).second;
        CATENARY_ASSERT(is_new, "two groups are of one incident");
        incidents_.at(place->number).beyond = place->is_aggregate ? std::optional{grouping_.daily_limit()} : std::nullopt;
        touch(place->number);
    }
}

/// Numbers that no group claimed redirect to where their findings went, or are closed.
void Incidents::redirect_released(const std::vector<Grouping::Move>& moves, const Places& places, EntryStamp stamp) {
    std::set<IncidentNumber> released;
    using Rank = std::pair<bool, FindingOrder>;  // an aggregate last, then the earliest finding
    std::map<IncidentNumber, std::pair<Rank, IncidentNumber>> heirs;
    const auto offer = [&](IncidentNumber number, const FindingOrder& order, IncidentNumber heir) {
        released.insert(number);
        const Rank rank{incidents_.at(heir).is_aggregate(), order};
        const auto [known, is_first] = heirs.try_emplace(number, rank, heir);
        if (!is_first && rank < known->second.first) known->second = {rank, heir};
    };
    for (const auto& [group, place] : places) {
        if (!place.former) continue;
        released.insert(*place.former);
        // Members that did not move count as one with the group's first.
        if (!place.is_empty && grouping_.members(group).size() > place.joined) offer(*place.former, grouping_.members(group).begin()->first, place.number);
    }
    for (const auto& [finding, from, to] : moves) {
        if (!to) continue;
        for (const IncidentNumber number : former_numbers(finding)) offer(number, findings_[finding].order(), places.at(*to).number);
    }
    for (const auto& [taker, numbers] : inherited_) {  // it may have been where it is before it took over
        if (!findings_.contains(taker) || !grouping_.contains(taker)) continue;
        const GroupIndex group = grouping_.group_of(taker);
        const auto place = places.find(group);
        const IncidentNumber heir = place == places.end() ? numbers_.at(group) : place->second.number;
        for (const IncidentNumber number : numbers) {
            if (released.contains(number)) offer(number, findings_[taker].order(), heir);
        }
    }
    for (const auto& [group, place] : places) {
        if (!place.is_empty) released.erase(place.number);
    }
    for (const IncidentNumber number : released) {
        refresh(incidents_.at(number));  // what it was, for whoever looks it up
        const auto heir = heirs.find(number);
        if (heir != heirs.end()) redirect(number, heir->second.second, stamp);
        else close_emptied(number, stamp);
    }
}

void Incidents::redirect(IncidentNumber from, IncidentNumber into, EntryStamp stamp) {
    Incident& former = incidents_.at(from);
    Incident& heir = incidents_.at(into);
    former.record.merged_into = into;
    for (const IncidentNumber earlier : former.absorbed) {  // readers follow one step only
        const auto found = incidents_.find(earlier);
        if (found == incidents_.end()) continue;
        found->second.record.merged_into = into;
        touch(earlier);
    }
    std::erase(heir.record.related, from);
    heir.absorbed.insert(heir.absorbed.end(), former.absorbed.begin(), former.absorbed.end());
    heir.absorbed.push_back(from);
    former.absorbed.clear();
    for (const IncidentNumber related : former.record.related) relate(into, related);
    announce_merge(from, into, stamp);
    touch(from);
    if (heir.is_aggregate() && !former.is_aggregate()) return;
    // What people decided about either holds for both.
    if (heir.record.owner.empty()) heir.record.owner = former.record.owner;
    if (heir.record.status == IncidentStatus::new_) heir.record.status = former.record.status;
    if (!heir.severity) heir.severity = former.severity;
    if (!heir.title) heir.title = former.title;
    std::vector<std::string> labels;
    std::set_union(heir.record.labels.begin(), heir.record.labels.end(), former.record.labels.begin(), former.record.labels.end(), std::back_inserter(labels));
    heir.record.labels = std::move(labels);
}

void Incidents::close_emptied(IncidentNumber number, EntryStamp stamp) {
    Incident& incident = incidents_.at(number);
    if (incident.record.status != IncidentStatus::closed) note(number, stamp, "status_changed", "closed: all its findings were superseded");
    incident.record.status = IncidentStatus::closed;
    touch(number);
}

void Incidents::apply_moves(const std::vector<Grouping::Move>& moves, Places& places, EntryStamp stamp) {
    for (auto& [group, place] : places) {
        if (place.former) place.gathered = std::move(incidents_.at(*place.former).gathered);
        if (!place.gathered) place.gathered = std::make_unique<Gathered>(held_, dictionary_, listed_entities_);
        if (place.former) incidents_.at(*place.former).group.reset();
        numbers_.erase(group);
    }
    for (const auto& [finding, from, to] : moves) {
        if (from && !places.at(*from).is_empty && places.at(*from).former) places.at(*from).gathered->leave(finding, findings_[finding]);
    }
    for (const auto& [index, from, to] : moves) {
        if (!to) continue;
        const Place& place = places.at(*to);
        Finding& finding = findings_[index];
        place.gathered->join(index, finding);
        const IncidentNumber number = place.number;
        if (!from && !finding.incident) {
            for (const EntityId principal : finding.principals) principals_.add(principal, finding.order(), index);
            finding.indexed = true;
            const bool is_told = !incidents_.at(number).is_new && !inherited_.contains(index) && !place.is_aggregate;  // of an aggregate signals are told
            if (is_told) note(number, stamp, "finding_added", finding.pattern->title);
        } else if (finding.incident && *finding.incident != number && !incidents_.at(*finding.incident).record.merged_into) {
            note(number, stamp, "finding_added", finding.pattern->title + ", until now in incident " + std::to_string(finding.incident->value()));
            note(*finding.incident, stamp, "finding_moved", finding.pattern->title + ", now in incident " + std::to_string(number.value()));
            look_whole(index);  // what the other incident is related to is not this one's
        }
        finding.incident = number;
        if (place.is_aggregate) ++aggregated_;
        changed_findings_.insert(index);
    }
    for (auto& [group, place] : places) {
        if (place.is_empty) continue;
        if (place.former != place.number) {
            for (const auto& [order, member] : grouping_.members(group)) {
                findings_[member].incident = place.number;
                changed_findings_.insert(member);
            }
        }
        Incident& incident = incidents_.at(place.number);
        incident.group = group;
        incident.gathered = std::move(place.gathered);
        incident.gathered->start_record();
        numbers_[group] = place.number;
        if (!incident.is_new) continue;
        refresh(incident);
        incident.announced_signals = incident.gathered->signal_count();
        note(place.number, stamp, "created", incident.record.title);
    }
}

void Incidents::finish_leaving(EntryStamp stamp) {
    for (const auto& [index, successor] : leaving_) {
        const Finding& finding = findings_[index];
        if (finding.incident) {
            const IncidentNumber number = resolve(*finding.incident);
            const bool waits = std::any_of(waiting_again_.begin(), waiting_again_.end(), [&](const WaitingAgain& one) { return one.delta.id == finding.id; });
            note(number, stamp, "finding_superseded",
                 finding.pattern->title + (successor ? ", by a later reading of the same evidence"
                                           : waits   ? ", which now waits for something to stay absent"
                                                     : ", by a new version of the pattern"));
            if (finding.settled) {
                incidents_.at(*finding.incident).gathered->leave(index, finding);
            }
        }
        Written& last = finished_[finding.id];
        last = written(finding);
        last.change.record.state = FindingState::superseded;
        last.change.record.superseded_by = successor;
        last.change.record.incident.reset();
        last.change.record.waiting_until.reset();
        superseded_.insert_or_assign(finding.id, finding.end);
        erase(index);
    }
}

void Incidents::erase(FindingIndex index) {
    const Finding& finding = findings_[index];
    if (finding.indexed) {
        for (const EntityId principal : finding.principals) principals_.remove(principal, finding.order());
    }
    evidence_held_ -= finding.evidence.size();
    for (const SignalHandle signal : finding.evidence.by_handle()) {  // places are free in the order in which they are given back
        held_.detach(signal, index);
        held_.give_back(signal);
    }
    changed_findings_.erase(index);
    hands_.gone(finding);
    findings_.erase(index);
}

/// Histories name growth while it is news: each entry up to 32 signals, then each doubling.
void Incidents::finish_touched(EntryStamp stamp) {
    for (const IncidentNumber number : touched_) {
        Incident& incident = incidents_.at(number);
        ++incident.record.revision;
        incident.record.updated = stamp.admitted;
        incident.is_new = false;
        changed_incidents_.insert(number);
        if (!incident.gathered) continue;
        if (!incident.is_cut_short && incident.gathered->entity_count() > listed_entities_) {
            incident.is_cut_short = true;
            ++cut_short_;
        }
        const std::size_t signals = incident.gathered->signal_count();
        const std::size_t announced = incident.announced_signals;
        if (signals <= announced || (signals > 32 && signals < 2 * announced)) continue;
        note(number, stamp, "evidence_added",
             said_count(static_cast<std::int64_t>(signals - announced), "more signal") + ", " + std::to_string(signals) + " in all");
        incident.announced_signals = signals;
    }
    touched_.clear();
}

IncidentNumber Incidents::resolve(IncidentNumber number) const {
    const auto found = incidents_.find(number);
    return found != incidents_.end() && found->second.record.merged_into ? *found->second.record.merged_into : number;
}

void Incidents::note(IncidentNumber number, EntryStamp stamp, std::string what, std::string detail, std::string actor) {
    activity_.push_back({number, stamp.position, stamp.admitted, std::move(actor), std::move(what), std::move(detail)});
}

}  // namespace catenary::engine
