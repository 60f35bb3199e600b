#include "engine/matching/candidates.hpp"

#include "engine/model/assert.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

namespace catenary::engine {
namespace {

// Signals looked at to see since when a repeated stage is satisfied. Beyond, it is taken to be: the listing of instances counts them all.
constexpr std::size_t most_counted = 4096;

}  // namespace

const Candidates::Reached& Candidates::reached(const Candidate& one, StageIndex stage, std::size_t link) const {
    const std::size_t rank = stage_count(static_cast<StageMask>(one.entry.stages & (stage_bit(stage) - 1U)));
    return one.reached[link * stage_count(one.entry.stages) + rank];
}
Candidates::Reached& Candidates::reached(Candidate& one, StageIndex stage, std::size_t link) const {
    return const_cast<Reached&>(reached(std::as_const(one), stage, link));
}

bool Candidates::may_step() {
    if (steps_left_ == 0) return false;
    ++work_;
    if (--steps_left_ == 0) ++capped_;
    return true;
}

/// Puts it on the lines of its entities; whether it comes after all of these.
Candidates::Id Candidates::place(ListedEntry entry, bool& is_newest) {
    if (free_.empty()) {
        free_.push_back(static_cast<Id>(pool_.size()));
        pool_.emplace_back();
    }
    const Id id = free_.back();
    free_.pop_back();
    Candidate& one = pool_[id];
    one = {std::move(entry), {}, false, State::open};
    one.reached.resize(one.entry.links.size() * stage_count(one.entry.stages));
    account(one, true);
    is_newest = true;
    for (std::size_t link = 0; link < one.entry.links.size(); ++link) {
        Line& line = lines_[one.entry.links[link].entity.value()];
        const Place place{one.entry.time, id, one.entry.stages, static_cast<std::uint8_t>(link)};
        if (line.empty() || line.back().time < place.time) {
            line.push_back(place);
            continue;
        }
        is_newest = false;
        const auto after = std::partition_point(line.begin(), line.end(), [&](const Place& other) {
            return other.time < place.time || (other.time == place.time && window_.before(pool_[other.id].entry.signal, one.entry.signal));
        });
        line.insert(after, place);
    }
    return id;
}

void Candidates::put_into(Id id, SetNumber number) {
    pool_[id].set = number;
    each_node(id, [&](const Node& node, Timestamp start) {
        if (start != unreached && (node.link == 0 || !exposes_all(node.stage))) each_copy(node, [&](ReachedPlace& place) { place.set = number; });
    });
}
void Candidates::put_into(const ListedEntry& entry, SetNumber number) {
    if (const auto id = find(entry)) put_into(*id, number);
}

void Candidates::set_explored(const Node& node, Timestamp bound) {
    reached(pool_[node.id], node.stage, node.link).explored = bound;
    each_copy(node, [&](ReachedPlace& place) { place.explored = bound; });
}

void Candidates::count(LinkCounts& links, EntityId entity, std::uint32_t pairs) {
    const auto place = std::lower_bound(links.begin(), links.end(), entity, [](const auto& one, EntityId of) { return one.first < of; });
    if (place != links.end() && place->first == entity) place->second += pairs;
    else links.insert(place, {entity, pairs});
}

void Candidates::account(const Candidate& one, bool comes) {
    const std::size_t links = one.entry.links.size();
    const std::size_t beyond = one.reached.size() > inline_reached ? one.reached.size() : 0;
    links_ = comes ? links_ + links : links_ - links;
    reached_beyond_ = comes ? reached_beyond_ + beyond : reached_beyond_ - beyond;
}

std::optional<Candidates::Id> Candidates::find(const ListedEntry& entry) const {
    const auto place = lines_.find(entry.links.front().entity.value());
    if (place == lines_.end()) return std::nullopt;
    const Line& line = place->second;
    for (auto one = std::partition_point(line.begin(), line.end(), [&](const Place& other) { return other.time < entry.time; });
         one != line.end() && one->time == entry.time; ++one) {
        if (pool_[one->id].entry.signal == entry.signal) return one->id;
    }
    return std::nullopt;
}

bool Candidates::holds(const ListedEntry& entry) const {
    const auto id = find(entry);
    return id && pool_[*id].held;
}

void Candidates::close(const ListedEntry& entry, Timestamp floor) {
    const auto id = find(entry);
    CATENARY_ASSERT(id.has_value(), "what is held is a candidate");
    floors_[*id] = floor;
    pool_[*id].state = State::closed;
    pool_[*id].held = false;
}

void Candidates::let_go(const ListedEntry& entry) {
    const auto id = find(entry);
    CATENARY_ASSERT(id.has_value(), "what is held is a candidate");
    pool_[*id].state = State::let_go;
}

/// Where the occurrence that the signal completes begins: the tightest suffix (4.1).
std::optional<Timestamp> Candidates::occurrence(Id id, StageIndex stage, std::size_t link) {
    const Candidate& own = pool_[id];
    if (!serves(own, stage, link)) return std::nullopt;
    const Timestamp time = own.entry.time;
    if (!has_stage(plan_.repeated, stage)) return time;
    const Repeat& repeat = *plan_.pattern->stages[stage].repeat;
    const Line& line = lines_.find(own.entry.links[link].entity.value())->second;
    const bool by_value = has_stage(plan_.distinct, stage);
    std::set<DistinctValues::Value> values;
    std::int64_t sum = 0;
    std::size_t looked = 0;
    auto one = std::partition_point(line.begin(), line.end(), [&](const Place& place) { return place.time <= time; });
    while (one != line.begin()) {
        --one;
        if (one->time < time - repeat.within) return std::nullopt;
        ++work_;
        if (!serves(pool_[one->id], stage, one->link)) continue;
        const SignalHandle signal = pool_[one->id].entry.signal;
        if (by_value) {
            for (const DistinctValues::Value value : values_(signal, stage)) values.insert(value);
            sum = static_cast<std::int64_t>(values.size());
        } else {
            sum += std::clamp<std::int64_t>(window_[signal].count, 1, repeat.at_least);
        }
        if (sum >= repeat.at_least) return one->time;
        if (++looked == most_counted) return one->time;
    }
    return std::nullopt;
}

/// Where the occurrence begins that a reached signal completes.
Timestamp Candidates::begin_of(const Node& node) const { return has_stage(plan_.repeated, node.stage) ? begins_.at(key(node)) : pool_[node.id].entry.time; }

/// The latest start of a chain on the entity that a stage beginning at `begin` can go on from, where it is later than `least`.
Timestamp Candidates::before(EntityId entity, StageIndex stage, Timestamp begin, Id self, Timestamp least, bool is_newest) {
    Timestamp latest = least;
    if (is_newest) {
        const auto& gap = plan_.pattern->stages[stage].within;
        each_stage(plan_.previous[stage], [&](StageIndex previous) {
            const auto found = reachable_.find(key(entity, previous));
            if (found == reachable_.end()) return;
            ++work_;
            const auto& front = found->second.front;
            const auto near =
                !gap ? front.begin() : std::partition_point(front.begin(), front.end(), [&](const FrontEntry& one) { return one.end < begin - *gap; });
            if (near != front.end()) latest = std::max(latest, near->start);
        });
        return latest;
    }
    each_before(entity, stage, begin, begin - plan_.within, self, [&](StageIndex, const ReachedPlace& place) {
        if (place.time <= latest) return false;  // a chain does not start after it ends
        if (pool_[place.id].state != State::closed) latest = std::max(latest, place.start);
        return true;
    });
    return latest;
}

/// L, of chains on which the entity links on; of those that the span allows.
Timestamp Candidates::latest_start(Id id, StageIndex stage, std::size_t link, bool is_newest) {
    const bool waits_for_others = !has_stage(plan_.first, stage);
    const ListedEntry& own = pool_[id].entry;
    const auto nothing_before = [&](EntityId entity) {
        bool nothing = true;
        each_stage(plan_.previous[stage], [&](StageIndex previous) { nothing = nothing && !reachable_.contains(key(entity, previous)); });
        return nothing;
    };
    // Most signals wait for a stage that nothing on their entities has reached: what they count is then of no interest.
    if (waits_for_others && !exposes_all(stage) && nothing_before(own.links[link].entity)) return unreached;
    const auto begin = occurrence(id, stage, link);
    if (!begin) return unreached;
    Timestamp latest = waits_for_others ? unreached : *begin;
    const bool by_fronts = is_newest && !has_stage(plan_.repeated, stage);
    if (exposes_all(stage)) {
        for (const ListedEntry::Link& one : own.links) latest = std::max(latest, before(one.entity, stage, *begin, id, latest, by_fronts));
    } else {
        latest = before(own.links[link].entity, stage, *begin, id, latest, by_fronts);
    }
    if (latest == unreached || own.time - latest > plan_.within) return unreached;
    if (has_stage(plan_.repeated, stage)) begins_[key(Node{id, stage, static_cast<std::uint8_t>(link)})] = *begin;
    return latest;
}

/// Works out L of a signal as one stage; whether it grew. What it leads to is told by `reach`: not before other stages of the same signal are worked out.
bool Candidates::settle(Id id, StageIndex stage, bool is_newest) {
    bool grew = false;
    const std::size_t links = pool_[id].entry.links.size();
    Timestamp shared = unreached;
    for (std::size_t link = 0; link < links; ++link) {
        const Timestamp start = link > 0 && exposes_all(stage) ? shared : latest_start(id, stage, link, is_newest);
        shared = start;
        Reached& known = reached(pool_[id], stage, link);
        if (start <= known.start) continue;
        known.start = start;
        grew = true;
    }
    return grew;
}

/// Makes known that chains reach the signal as that stage and can go on by that link.
void Candidates::reach(Id id, StageIndex stage, std::size_t link) {
    const Candidate& one = pool_[id];
    const FrontEntry entry{one.entry.time, reached(one, stage, link).start};
    if (entry.start == unreached) return;
    Reachable& reachable = reachable_[key(one.entry.links[link].entity, stage)];
    auto& all = reachable.all;
    const Reached& own = reached(one, stage, link);
    const ReachedPlace place{entry.end, entry.start, own.explored, id, one.set, one.entry.stages, static_cast<std::uint8_t>(link)};
    auto known = all.end();
    if (!all.empty() && all.back().time >= entry.end) {
        known = std::partition_point(all.begin(), all.end(), [&](const ReachedPlace& other) { return other.time < entry.end; });
        while (known != all.end() && known->time == entry.end && known->id != id) ++known;
    }
    if (known == all.end() || known->id != id) {
        all.insert(known, place);
        ++reachable_places_;
    } else {
        known->start = entry.start;
    }
    auto& front = reachable.front;
    const auto later = std::partition_point(front.begin(), front.end(), [&](const FrontEntry& other) { return other.end < entry.end; });
    if (later != front.end() && later->start >= entry.start) return;  // ends as late or later, and starts no earlier
    auto first = later;
    while (first != front.begin() && std::prev(first)->start <= entry.start) --first;
    auto last = later;
    while (last != front.end() && last->end == entry.end) ++last;
    front.insert(front.erase(first, last), entry);
}

/// A signal that came out of order: works out how far chains come with it, the earlier ends first.
void Candidates::relax(Id id) {
    std::set<std::tuple<Timestamp, StageIndex, Id>> open;
    const auto open_later = [&](Id from, StageIndex stage) {
        const ListedEntry& own = pool_[from].entry;
        for (const ListedEntry::Link& link : own.links) {
            each_after(link.entity, own.time, own.time + plan_.within, from, [&](const Place& place) {
                each_stage(place.stages, [&](StageIndex next) {
                    if (has_stage(plan_.previous[next], stage)) open.emplace(place.time, next, place.id);
                });
            });
        }
    };
    const ListedEntry& own = pool_[id].entry;
    each_stage(own.stages, [&](StageIndex stage) {
        open.emplace(own.time, stage, id);
        if (!has_stage(plan_.repeated, stage)) return;
        for (std::size_t link = 0; link < own.links.size(); ++link) {
            if (!serves(pool_[id], stage, link)) continue;
            each_after(own.links[link].entity, own.time, own.time + plan_.pattern->stages[stage].repeat->within, id, [&](const Place& place) {
                if (serves(pool_[place.id], stage, place.link)) open.emplace(place.time, stage, place.id);
            });
        }
    });
    while (!open.empty()) {
        const auto [time, stage, next] = *open.begin();
        open.erase(open.begin());
        if (!settle(next, stage, false)) continue;
        for (std::size_t link = 0; link < pool_[next].entry.links.size(); ++link) reach(next, stage, link);
        open_later(next, stage);
    }
}

Candidates::Found Candidates::add(ListedEntry entry, Timestamp end_min) {
    steps_left_ = most_steps;
    bool is_newest = false;
    const Id id = place(std::move(entry), is_newest);
    Found found;
    if (plan_.pattern->order == Order::any) {
        found.parts = parts_in_any_order(id);
        return found;
    }
    std::vector<std::pair<Timestamp, Node>> ends;
    if (is_newest) {
        const ListedEntry& own = pool_[id].entry;
        each_stage(own.stages, [&](StageIndex stage) { settle(id, stage, true); });
        each_stage(own.stages, [&](StageIndex stage) {
            for (std::uint8_t link = 0; link < own.links.size(); ++link) {
                if (reached(pool_[id], stage, link).start == unreached) continue;
                reach(id, stage, link);
                if (has_stage(plan_.last, stage) && (link == 0 || !exposes_all(stage))) ends.emplace_back(own.time, Node{id, stage, link});
            }
        });
    } else {
        relax(id);
        ends = ends_of(id);
    }
    std::erase_if(ends, [&](const auto& end) { return end.first < end_min; });
    Exploration exploration = explore_all(ends, is_newest, Timestamp::min());
    if (!is_chain()) {
        for (const auto& [time, end] : ends) {
            if (exploration.seen.contains(key(end))) found.principals.push_back(entity(end.id, end.link));
        }
    }
    found.parts = ordered(exploration.parts);
    found.only_adds = is_newest && !exploration.again && steps_left_ > 0;
    for (const auto& [begin, node] : exploration.begins) found.earliest = std::min(found.earliest, begin);
    found.joins = std::move(exploration.joins);
    found.links = std::move(exploration.links);
    return found;
}

}  // namespace catenary::engine
