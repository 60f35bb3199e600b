#include "engine/incidents/gathered.hpp"

#include "engine/model/assert.hpp"

namespace catenary::engine {

namespace {

/// Counts one down; true when none is left.
template <class Map, class Key>
bool count_down(Map& counts, const Key& key) {
    const auto place = counts.find(key);
    CATENARY_ASSERT(place != counts.end(), "only what was counted is taken away");
    if (--place->second > 0) return false;
    counts.erase(place);
    return true;
}

}  // namespace

void Gathered::join(FindingIndex index, const Finding& finding) {
    members_.emplace(finding.order(), index);
    by_score_.emplace(rank(finding.probability, finding.order()), index);
    if (finding.score_stale) unrank(index);
    ends_.insert(finding.end);
    ++severities_[static_cast<std::size_t>(finding.pattern->severity)];
    auto& use = patterns_[{finding.pattern->id, finding.pattern->version}];
    use.pattern = finding.pattern;
    if (++use.findings == 1) claims_changed_ = true;
    for (const EntityId principal : finding.principals) add_principal(principal);
    finding.evidence.each([this](SignalHandle signal) { add_signal(signal); });
}

void Gathered::leave(FindingIndex index, const Finding& finding) {
    const auto place = members_.find(finding.order());
    CATENARY_ASSERT(place != members_.end() && place->second == index, "only a member leaves");
    changed(index);
    members_.erase(place);
    by_score_.erase(rank(finding.probability, finding.order()));
    ends_.erase(ends_.find(finding.end));
    --severities_[static_cast<std::size_t>(finding.pattern->severity)];
    const auto use = patterns_.find({finding.pattern->id, finding.pattern->version});
    if (--use->second.findings == 0) {
        patterns_.erase(use);
        claims_changed_ = true;
    }
    for (const EntityId principal : finding.principals) remove_principal(principal);
    finding.evidence.each([this](SignalHandle signal) { remove_signal(signal); });
}

void Gathered::add_signal(SignalHandle signal) {
    if (++signals_[signal] > 1) return;
    if (++definitions_[held_.definition(signal)] == 1) claims_changed_ = true;
    held_.each_entity(signal, [this](EntityId entity) { entities_.add(entity); });
}

void Gathered::remove_signal(SignalHandle signal) {
    if (!count_down(signals_, signal)) return;
    if (count_down(definitions_, held_.definition(signal))) claims_changed_ = true;
    held_.each_entity(signal, [this](EntityId entity) { entities_.remove(entity); });
}

void Gathered::moved(FindingIndex index, const FindingOrder& former, Timestamp former_end, const Finding& finding) {
    if (former_end != finding.end) {
        ends_.erase(ends_.find(former_end));
        ends_.insert(finding.end);
    }
    if (former == finding.order()) return;
    members_.erase(former);
    members_.emplace(finding.order(), index);
    by_score_.erase(rank(finding.probability, former));
    by_score_.emplace(rank(finding.probability, finding.order()), index);
}

void Gathered::rescored(FindingIndex index, double former, const Finding& finding) {
    by_score_.erase(rank(former, finding.order()));
    by_score_.emplace(rank(finding.probability, finding.order()), index);
}

Severity Gathered::severity() const {
    for (const auto severity : {Severity::high, Severity::medium, Severity::low}) {
        if (severities_[static_cast<std::size_t>(severity)] > 0) return severity;
    }
    return Severity::informational;
}

}  // namespace catenary::engine
