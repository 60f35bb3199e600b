#include "engine/incidents/grouping.hpp"

#include <iterator>

namespace catenary::engine {

void Grouping::reconsider_hand(HandGroup hand) {
    const auto found = hands_.find(hand);
    if (found != hands_.end()) open_.insert(found->second.begin(), found->second.end());
}

void Grouping::place(FindingIndex finding, std::optional<HandGroup> hand) {
    free_emptied();
    Node& self = node(finding);
    if (self.hand == hand) return;
    if (self.group) count_out(*self.group, self);
    if (self.hand) leave_hand(finding);
    self.hand = hand;
    if (hand) {
        auto& placed = hands_[*hand];
        placed.emplace(self.order, finding);
        if (placed.begin()->second == finding) reconsider_hand(*hand);
    }
    if (self.group) {
        count_in(*self.group, self);
        if (hand) reconsider_other_hands(finding);
        if (overstretched(*self.group)) reconsider_members(*self.group);
        reconsider_refused(*self.group);
    }
    reconsider(finding);
}

/// Of each other hand group that comes later in its group the first, which takes the others with it.
void Grouping::reconsider_other_hands(FindingIndex finding) {
    const Node& self = node(finding);
    const Group& own = group(*self.group);
    const std::size_t others = own.hands.size() - own.hands.count(*self.hand);
    std::set<HandGroup> seen;
    for (auto later = own.placed.upper_bound(self.order); later != own.placed.end() && seen.size() < others; ++later) {
        if (later->second != *self.hand && seen.insert(later->second).second) reconsider(own.members.at(later->first));
    }
}

/// Where the first of a hand group leaves it, the others follow the next one, beside which they are.
void Grouping::leave_hand(FindingIndex finding) {
    const Node& self = node(finding);
    auto& hand = hands_[*self.hand];
    const bool led = hand.begin()->second == finding;
    hand.erase({self.order, finding});
    if (hand.empty()) hands_.erase(*self.hand);
    else if (led && open_.contains(*hand.begin())) reconsider_hand(*self.hand);  // it may have come to the hand group just now
    else if (led) reconsider(hand.begin()->second);
}

std::optional<HandGroup> Grouping::hand_of(GroupIndex index) const {
    const auto& placed = groups_[index.value()].placed;
    return placed.empty() ? std::nullopt : std::optional{placed.begin()->second};
}

/// Where the first of its hand group is; empty when it is the first itself, or in none.
std::optional<GroupIndex> Grouping::group_by_hand(FindingIndex finding) const {
    const auto& hand = nodes_[finding.value()].hand;
    if (!hand) return std::nullopt;
    const FindingIndex first = hands_.at(*hand).begin()->second;
    return first == finding ? std::nullopt : nodes_[first.value()].group;
}

/// Those of its hand group follow the first; those of other hand groups that came later into `target` must leave it.
void Grouping::pull_hand(FindingIndex finding, GroupIndex target) {
    const Node& self = node(finding);
    if (!self.hand) return;
    const auto& hand = hands_.at(*self.hand);
    if (hand.begin()->second == finding) open_.insert(std::next(hand.begin()), hand.end());
    const Group& it = group(target);
    for (auto later = it.placed.upper_bound(self.order); later != it.placed.end(); ++later) {
        if (later->second != *self.hand) reconsider(it.members.at(later->first));
    }
}

}  // namespace catenary::engine
