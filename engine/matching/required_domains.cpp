#include "engine/matching/required_domains.hpp"

#include "engine/matching/finding_changes.hpp"

#include <algorithm>
#include <utility>

namespace catenary::engine {

void RequiredDomains::take(Finding& finding, const FindingDelta& change, const SignalWindow& window) const {
    finding.end = change.end;
    for (const StageEvidence& one : change.added) {
        const Symbol domain = window.domain(one.signal);
        if (std::find(finding.domains.begin(), finding.domains.end(), domain) == finding.domains.end()) finding.domains.push_back(domain);
        if (!finding.admitted) finding.kept_back[one.signal] = one.stage;
    }
}

std::vector<FindingDelta> RequiredDomains::admit(std::vector<FindingDelta> changes, const SignalWindow& window) {
    std::vector<FindingDelta> told;
    for (FindingDelta& change : changes) {
        if (change.kind == FindingDelta::Kind::superseded) {
            const auto place = findings_.find(change.id);
            const bool admitted = place != findings_.end() && place->second.admitted;
            if (place != findings_.end()) findings_.erase(place);
            if (!admitted) continue;
            if (change.superseded_by) {
                const auto by = findings_.find(*change.superseded_by);
                if (by == findings_.end() || !by->second.admitted) change.superseded_by.reset();
            }
            told.push_back(std::move(change));
            continue;
        }
        Finding& finding = findings_[change.id];
        if (change.kind == FindingDelta::Kind::revised) {
            finding.domains.clear();
            finding.kept_back.clear();
        }
        const bool was_admitted = finding.admitted;
        if (was_admitted && change.kind == FindingDelta::Kind::revised) finding.admitted = false;
        take(finding, change, window);
        if (finding.domains.size() < least_) {
            if (was_admitted) told.push_back({FindingDelta::Kind::superseded, change.id, {}, change.start, change.end, change.principals, std::nullopt});
            continue;
        }
        finding.admitted = true;
        if (!was_admitted) {
            change.kind = FindingDelta::Kind::opened;
            change.added.clear();
            for (const auto& [signal, stage] : finding.kept_back) change.added.push_back({signal, stage});
            sort_canonically(change.added, window);
        }
        finding.kept_back.clear();
        told.push_back(std::move(change));
    }
    sort_canonically(told);
    return told;
}

void RequiredDomains::forget_before(Timestamp time) {
    std::erase_if(findings_, [&](const auto& place) { return place.second.end < time; });
}

void RequiredDomains::forget(std::span<const SignalHandle> given_up) {
    for (auto& [id, finding] : findings_) {
        std::erase_if(finding.kept_back, [&](const auto& one) { return std::binary_search(given_up.begin(), given_up.end(), one.first); });
    }
}

std::size_t RequiredDomains::bytes() const {
    std::size_t total = findings_.size() * (sizeof(FindingId) + sizeof(Finding) + 4 * sizeof(void*));
    for (const auto& [id, finding] : findings_) total += finding.kept_back.size() * 48;
    return total;
}

}  // namespace catenary::engine
