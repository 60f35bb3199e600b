#include "engine/incidents/incidents.hpp"

#include <algorithm>

namespace catenary::engine {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_related = 50;
constexpr Duration look_again_after = 1h;             // how much a finding grows before its principals are looked up again
constexpr std::size_t most_findings_looked_at = 100;  // of one principal
constexpr std::size_t most_principals_looked_up = 20;

/// Whether a look at `principal` was taken for this finding. What started before it and is near a finding of its incident that starts no earlier was met
/// then, or met it when it came later itself.
bool was_looked_up(const Finding& finding, EntityId principal) {
    if (!finding.related_until) return false;
    const auto place = std::lower_bound(finding.principals.begin(), finding.principals.end(), principal);
    return place != finding.principals.end() && *place == principal && static_cast<std::size_t>(place - finding.principals.begin()) < most_principals_looked_up;
}

}  // namespace

void Incidents::relate_found(const std::vector<Grouping::Move>& moves) {
    const auto number_of = [&](FindingIndex index) { return findings_.contains(index) ? findings_[index].incident : std::nullopt; };
    for (const auto& [left, right] : new_connections_) {
        const auto first = number_of(left);
        const auto second = number_of(right);
        if (first && second) relate(*first, *second);
    }
    for (const auto& [finding, closed] : near_closed_) {
        if (const auto number = number_of(finding)) relate(*number, closed);
    }
    for (const auto& [finding, from, to] : moves) {
        if (!to) continue;
        if (!from) look_whole(finding);
        if (!from || !grouping_.contains(finding)) continue;  // what a new one is connected to was noted when it came
        for (const GroupIndex group : grouping_.groups_near(finding)) relate(*findings_[finding].incident, numbers_.at(group));
    }
    for (const FindingIndex finding : look_for_related_) {
        if (number_of(finding)) relate_by_principal(finding);
    }
}

/// Whatever was looked up before, all that is near.
void Incidents::look_whole(FindingIndex index) {
    findings_[index].related_until.reset();
    look_for_related_.insert(index);
}

void Incidents::relate_by_principal(FindingIndex index) {
    Finding& finding = findings_[index];
    // What started before it was last looked up was met then.
    const Timestamp known = finding.related_until ? *finding.related_until - look_again_after : Timestamp::min();
    finding.related_until = finding.end + look_again_after;
    std::size_t looked_up = 0;
    std::vector<IncidentNumber> near;  // in the order in which they are met: many findings are of few incidents
    std::set<IncidentNumber> met;      // those
    for (const EntityId principal : finding.principals) {
        if (looked_up++ == most_principals_looked_up) break;
        principals_.visit_starting_until(principal, finding.end + group_within_, most_findings_looked_at, [&](FindingIndex other) {
            const Finding& there = findings_[other];
            if (there.start <= known) return false;
            if (there.incident == finding.incident) return !(other != index && there.start <= finding.start && was_looked_up(there, principal));
            if (there.end + group_within_ < finding.start || !there.incident) return true;
            if (met.insert(*there.incident).second) near.push_back(*there.incident);
            return true;
        });
    }
    for (const IncidentNumber number : near) {
        const auto& related = incidents_.at(*finding.incident).record.related;
        if (!std::binary_search(related.begin(), related.end(), number)) relate(*finding.incident, number);
    }
}

void Incidents::relate(IncidentNumber left, IncidentNumber right) {
    if (left == right) return;  // most are: findings of one incident are connected
    left = resolve(left);
    right = resolve(right);
    if (left == right || !incidents_.contains(left) || !incidents_.contains(right)) return;
    relate_one_way(left, right);
    relate_one_way(right, left);
}

void Incidents::relate_one_way(IncidentNumber from, IncidentNumber to) {
    auto& related = incidents_.at(from).record.related;
    const auto place = std::lower_bound(related.begin(), related.end(), to);
    if ((place != related.end() && *place == to) || related.size() >= most_related) return;
    related.insert(place, to);
    touch(from);
}

}  // namespace catenary::engine
