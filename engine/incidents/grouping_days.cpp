#include "engine/incidents/grouping.hpp"

namespace catenary::engine {

/// Keeps the days' openers; what changes sides for it is decided again, which is later in order.
void Grouping::count_opener(FindingIndex finding, bool opens) {
    Node& self = node(finding);
    if (self.opens == opens) return;
    self.opens = opens;
    const auto moved = opens ? openers_.add(self.day(), self.order, finding) : openers_.remove(self.day(), self.order);
    if (moved) reconsider(*moved);
}

void Grouping::retire(FindingIndex finding) {
    free_emptied();
    Node& self = node(finding);
    if (self.opens) openers_.keep_place(self.day(), self.order);
    self.opens = false;
    take_out(finding);
}

void Grouping::release(const std::string& pattern, const FindingOrder& order) {
    if (const auto moved = openers_.remove({pattern, order.start}, order)) reconsider(*moved);
}

void Grouping::change_daily_limit(std::size_t limit) {
    free_emptied();
    for (const FindingIndex finding : openers_.change_limit(limit)) reconsider(finding);
}

bool Grouping::is_aggregate(GroupIndex index) const {
    const auto& members = groups_[index.value()].members;
    return !members.empty() && nodes_[members.begin()->second.value()].aggregated;
}

}  // namespace catenary::engine
