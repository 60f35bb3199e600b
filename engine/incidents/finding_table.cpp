#include "engine/incidents/finding_table.hpp"

#include "engine/model/assert.hpp"

namespace catenary::engine {

FindingIndex FindingTable::add(Finding finding) {
    FindingIndex index{static_cast<std::uint32_t>(places_.size())};
    if (free_.empty()) {
        places_.emplace_back();
    } else {
        index = FindingIndex{free_.back()};
        free_.pop_back();
    }
    const bool is_new = by_id_.emplace(finding.id, index).second;
    CATENARY_ASSERT(is_new, "a finding's id is its own");
    report_to(finding.matched_as, index);
    places_[index.value()] = std::move(finding);
    return index;
}

void FindingTable::erase(FindingIndex index) {
    const FindingId matched_as = (*this)[index].matched_as;
    if (const auto taker = reported(matched_as); taker == index) stop_reports(matched_as);
    by_id_.erase((*this)[index].id);
    places_[index.value()].reset();
    free_.push_back(index.value());
}

std::optional<FindingIndex> FindingTable::with_id(const FindingId& id) const {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return std::nullopt;
    return found->second;
}

std::optional<FindingIndex> FindingTable::reported(const FindingId& matched_as) const {
    const auto found = reported_.find(matched_as);
    if (found == reported_.end()) return std::nullopt;
    return found->second;
}

std::vector<FindingIndex> FindingTable::all() const {
    std::vector<FindingIndex> indices;
    for (std::uint32_t i = 0; i < places_.size(); ++i) {
        if (places_[i]) indices.emplace_back(i);
    }
    return indices;
}

}  // namespace catenary::engine
