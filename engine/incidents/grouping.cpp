#include "engine/incidents/grouping.hpp"

#include "engine/model/assert.hpp"

#include <algorithm>
#include <iterator>

namespace catenary::engine {

void Grouping::reconsider(FindingIndex finding) { open_.emplace(node(finding).order, finding); }

void Grouping::reconsider_members(GroupIndex index) {
    for (const auto& [order, member] : group(index).members) open_.emplace(order, member);
}

void Grouping::reconsider_refused(GroupIndex index) {
    const auto& refused = group(index).refused;
    open_.insert(refused.begin(), refused.end());
}

void Grouping::note_origin(FindingIndex finding) { origins_.try_emplace(finding, node(finding).group); }

GroupIndex Grouping::new_group() {
    if (free_groups_.empty()) {
        groups_.emplace_back();
        return GroupIndex{static_cast<std::uint32_t>(groups_.size() - 1)};
    }
    const GroupIndex index{free_groups_.back()};
    free_groups_.pop_back();
    return index;
}

void Grouping::free_emptied() {
    std::sort(emptied_.begin(), emptied_.end());
    emptied_.erase(std::unique(emptied_.begin(), emptied_.end()), emptied_.end());
    for (const GroupIndex index : emptied_) {
        if (!group(index).members.empty()) continue;
        for (const auto& [order, finding] : group(index).refused) std::erase(node(finding).refused_by, index);
        group(index) = Group{};
        free_groups_.push_back(index.value());
    }
    emptied_.clear();
}

void Grouping::put(FindingIndex finding, const std::string& pattern, const FindingOrder& order, Timestamp end) {
    free_emptied();
    if (finding.value() >= nodes_.size()) nodes_.resize(finding.value() + 1);
    Node& self = node(finding);
    if (!self.present) {
        release(pattern, order);
        note_origin(finding);
        self.present = true;
        self.pattern = pattern;
        self.order = order;
        self.end = end;
        reconsider(finding);
        return;
    }
    if (end != self.end) {
        const bool shorter = end < self.end;
        if (self.group) count_out(*self.group, self);
        self.end = end;
        if (self.group) count_in(*self.group, self);
        if (shorter) {
            reconsider(finding);  // what refused it may take it now
            if (self.group) reconsider_refused(*self.group);
        }
        if (self.group && overstretched(*self.group)) reconsider_members(*self.group);
        if (self.hand) reconsider(finding);  // its end is not among those that tell whether the group is overstretched
    }
    if (order != self.order) change_order(finding, order);
}

void Grouping::change_order(FindingIndex finding, const FindingOrder& order) {
    Node& self = node(finding);
    const FindingOrder former = self.order;
    const auto [first_between, last_between] = std::minmax(order, former, [](const auto& left, const auto& right) { return left < right; });
    for (const auto& [other, shared] : self.near) {  // those between the two places now stand on its other side
        const FindingOrder& place = node(other).order;
        if (first_between < place && place < last_between) reconsider(other);
    }
    open_.erase({former, finding});
    count_opener(finding, false);
    for (const GroupIndex index : self.refused_by) {
        group(index).refused.erase({former, finding});
        group(index).refused.emplace(order, finding);
    }
    if (self.group) count_out(*self.group, self);
    self.order = order;
    if (self.group) {
        count_in(*self.group, self);
        Group& own = group(*self.group);
        const FindingIndex former_first = own.members.begin()->second;
        own.members.erase(former);
        own.members.emplace(order, finding);
        const bool later = former < order;
        if (!self.aggregated) {  // nothing depends on where an aggregate starts
            if ((later && former_first == finding) || self.hand) {
                reconsider_members(*self.group);
                reconsider_refused(*self.group);
            }
            if (!later && own.members.begin()->second == finding) started_earlier(*self.group, former_first);
        }
    }
    if (self.hand) {
        hands_[*self.hand].erase({former, finding});
        hands_[*self.hand].emplace(order, finding);
        reconsider_hand(*self.hand);
    }
    reconsider(finding);
}

void Grouping::count_in(GroupIndex index, const Node& member) {
    if (member.aggregated) return;
    Group& it = group(index);
    if (member.hand && it.placed.emplace(member.order, *member.hand).second) ++it.hands[*member.hand];
    if (!member.hand) it.ends.insert(member.end);
}

void Grouping::count_out(GroupIndex index, const Node& member) {
    if (member.aggregated) return;
    Group& it = group(index);
    if (member.hand && it.placed.erase(member.order) > 0) {
        const auto hand = it.hands.find(*member.hand);
        if (--hand->second == 0) it.hands.erase(hand);
    }
    if (!member.hand) it.ends.erase(it.ends.find(member.end));
}

void Grouping::started_earlier(GroupIndex index, FindingIndex former_first) {
    if (overstretched(index)) reconsider_members(index);
    const auto& placed = group(index).placed;
    if (!placed.empty()) reconsider(group(index).members.at(placed.begin()->first));
    const FindingIndex first = group(index).members.begin()->second;
    if (former_first != first && !node(former_first).near.contains(first)) reconsider(former_first);
    if (!group(index).beside_another) return;
    for (const auto& [order, member] : group(index).members) {  // neighbours in groups that started earlier until now
        for (const auto& [other, shared] : node(member).near) {
            if (node(other).group != index) reconsider(other);
        }
    }
}

void Grouping::remove(FindingIndex finding) {
    free_emptied();
    count_opener(finding, false);
    take_out(finding);
}

void Grouping::take_out(FindingIndex finding) {
    note_origin(finding);
    Node& self = node(finding);
    open_.erase({self.order, finding});
    forget_refusals(finding);
    for (const auto& [other, shared] : self.near) {
        if (self.order < node(other).order) reconsider(other);
        node(other).near.erase(finding);
    }
    if (self.group) leave(finding);
    if (self.hand) leave_hand(finding);
    self = Node{};
}

void Grouping::connect(FindingIndex left, FindingIndex right) {
    free_emptied();
    ++node(right).near[left];
    if (++node(left).near[right] > 1) return;
    const auto [earlier, later] = node(left).order < node(right).order ? std::pair{left, right} : std::pair{right, left};
    if (!node(earlier).group || !node(later).group) return;  // to be decided, which will look at the other
    const GroupIndex near = *node(earlier).group;
    const GroupIndex own = *node(later).group;
    if (near == own) return;
    group(near).beside_another = true;
    group(own).beside_another = true;
    if (follows(later, near)) reconsider(later);
}

/// Whether a group that comes near a finding of another one may draw it from there.
bool Grouping::follows(FindingIndex later, GroupIndex target) const {
    const Node& self = nodes_[later.value()];
    return !is_aggregate(target) && (self.aggregated || started_first(target, *self.group));
}

/// Whether `left` comes before `right` where a finding has the choice.
bool Grouping::started_first(GroupIndex left, GroupIndex right) const {
    return groups_[left.value()].members.begin()->first < groups_[right.value()].members.begin()->first;
}

void Grouping::disconnect(FindingIndex left, FindingIndex right) {
    free_emptied();
    const auto there = node(left).near.find(right);
    CATENARY_ASSERT(there != node(left).near.end(), "only what is connected is disconnected");
    if (--node(right).near[left] == 0) node(right).near.erase(left);
    if (--there->second > 0) return;
    node(left).near.erase(there);
    reconsider(node(left).order < node(right).order ? right : left);
}

bool Grouping::overstretched(GroupIndex index) {
    const Group& it = group(index);
    return !it.ends.empty() && *it.ends.rbegin() - it.start() > max_span_;
}

bool Grouping::fits(const Group& it, const Node& self) const {
    if (self.hand && !it.placed.empty() && it.placed.begin()->first < self.order) return false;  // of another hand group, else it would be no first
    if (self.end - it.start() > max_span_) return false;
    if (it.ends.empty() || *it.ends.rbegin() - it.start() <= max_span_) return true;
    // Some member stretches it too far; only members before the finding count, the others are decided after it.
    for (const auto& [order, member] : it.members) {
        if (!(order < self.order)) break;
        if (!nodes_[member.value()].hand && nodes_[member.value()].end - it.start() > max_span_) return false;
    }
    return true;
}

void Grouping::forget_refusals(FindingIndex finding) {
    Node& self = node(finding);
    for (const GroupIndex index : self.refused_by) group(index).refused.erase({self.order, finding});
    self.refused_by.clear();
}

void Grouping::refuse(FindingIndex finding, GroupIndex index) {
    node(finding).refused_by.push_back(index);
    group(index).refused.emplace(node(finding).order, finding);
}

std::optional<GroupIndex> Grouping::group_to_join(FindingIndex finding) {
    const Node& self = node(finding);
    std::vector<std::pair<FindingOrder, GroupIndex>> candidates;
    for (const auto& [other, shared] : self.near) {
        const Node& there = node(other);
        if (there.group && !there.aggregated && there.order < self.order) candidates.emplace_back(group(*there.group).members.begin()->first, *there.group);
    }
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    for (const auto& [start, index] : candidates) {
        if (fits(group(index), self)) return index;
        refuse(finding, index);
    }
    return std::nullopt;
}

/// A group that may take the finding as its new first member without any other decision changing: everything near the finding and near the group
/// is in the group already, and its present first member is connected to the finding.
std::optional<GroupIndex> Grouping::group_to_lead(FindingIndex finding) {
    const Node& self = node(finding);
    std::optional<GroupIndex> only;
    for (const auto& [other, shared] : self.near) {
        const Node& there = node(other);
        if (!there.group || there.aggregated || (only && *only != *there.group)) return std::nullopt;
        only = there.group;
    }
    if (!only) return std::nullopt;
    const Group& it = group(*only);
    const auto& [first_order, first] = *it.members.begin();
    const bool leads = self.order < first_order && self.near.contains(first) && !it.beside_another && it.placed.empty() &&
                       std::max(*it.ends.rbegin(), self.end) - self.order.start <= max_span_;
    return leads ? only : std::nullopt;
}

void Grouping::enter(FindingIndex finding, GroupIndex index) {
    Node& self = node(finding);
    group(index).members.emplace(self.order, finding);
    count_in(index, self);
    self.group = index;
}

void Grouping::leave(FindingIndex finding) {
    Node& self = node(finding);
    const GroupIndex index = *self.group;
    Group& own = group(index);
    const bool was_first = own.members.begin()->second == finding;
    own.members.erase(self.order);
    count_out(index, self);
    self.group.reset();
    if (own.members.empty()) emptied_.push_back(index);
    if (std::exchange(self.aggregated, false)) {
        if (own.members.empty()) openers_.set_aggregate(*own.aggregate_of, std::nullopt);
        return;
    }
    reconsider_refused(index);
    if (was_first) reconsider_members(index);
}

void Grouping::decide(FindingIndex finding) {
    forget_refusals(finding);
    Node& self = node(finding);
    auto target = group_by_hand(finding);
    if (!target) target = group_to_join(finding);
    count_opener(finding, !target && !self.hand);
    const bool is_beyond = self.opens && openers_.is_beyond(self.day(), self.order);
    bool leads = false;
    if (is_beyond) {
        target = openers_.aggregate(self.day());
    } else {
        if (!target && self.group && !self.aggregated && group(*self.group).members.begin()->second == finding) target = self.group;
        if (!target && !self.group && !self.hand && self.refused_by.empty()) {
            target = group_to_lead(finding);
            leads = target.has_value();
        }
    }
    if (!target || target != self.group) {
        note_origin(finding);
        const bool moves = self.group.has_value();
        if (moves) leave(finding);
        if (leads) count_opener(group(*target).members.begin()->second, false);
        if (!target) target = new_group();
        if (is_beyond) {
            self.aggregated = true;
            group(*target).aggregate_of = self.day();
            openers_.set_aggregate(self.day(), target);
        }
        enter(finding, *target);
        pull_hand(finding, *target);
        if (!leads) {
            for (const auto& [other, shared] : self.near) {
                const Node& there = node(other);
                if (there.order < self.order || !there.group) continue;
                // Nobody can have followed a finding that was in no group: only an earlier group attracts.
                if (moves || follows(other, *target)) reconsider(other);
            }
        }
        if (overstretched(*target)) {
            const auto& members = group(*target).members;
            for (auto later = members.upper_bound(self.order); later != members.end(); ++later) open_.insert(*later);
        }
    }
    for (const auto& [other, shared] : self.near) {
        const auto& there = node(other).group;
        if (!there || *there == *self.group) continue;
        group(*there).beside_another = true;
        group(*self.group).beside_another = true;
    }
}

std::vector<Grouping::Move> Grouping::settle() {
    free_emptied();
    while (!open_.empty()) {
        const FindingIndex finding = open_.begin()->second;
        open_.erase(open_.begin());
        decide(finding);
    }
    std::vector<Move> moves;
    for (const auto& [finding, from] : origins_) {
        const Node& self = node(finding);
        if (self.present ? from != self.group : from.has_value()) moves.push_back({finding, from, self.group});
    }
    origins_.clear();
    std::sort(moves.begin(), moves.end(), [this](const Move& left, const Move& right) {
        if (left.to.has_value() != right.to.has_value()) return right.to.has_value();
        if (!left.to) return left.finding < right.finding;
        return node(left.finding).order < node(right.finding).order;
    });
    return moves;
}

std::vector<GroupIndex> Grouping::groups_near(FindingIndex finding) const {
    const Node& self = nodes_[finding.value()];
    std::vector<GroupIndex> groups;
    for (const auto& [other, shared] : self.near) {
        const auto& there = nodes_[other.value()].group;
        if (there && there != self.group) groups.push_back(*there);
    }
    std::sort(groups.begin(), groups.end());
    groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    return groups;
}

}  // namespace catenary::engine
