#include "engine/matching/candidates.hpp"

#include "engine/matching/vertex_groups.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>

namespace catenary::engine {
namespace {

// Under `chain` without an order: whoever the signal names.
constexpr EntityId anyone{std::numeric_limits<std::uint32_t>::max()};

}  // namespace

/// Adds the places at which chains end that begin there, each place once for the latest start that leads to it: what starts later gets further.
void Candidates::follow(const Step& begin, boost::unordered_flat_set<std::uint64_t>& seen, std::vector<std::pair<Timestamp, Node>>& ends) {
    std::vector<Node> open{begin.node};
    const Timestamp latest = begin.start + plan_.within;
    while (!open.empty()) {
        const Node node = open.back();
        open.pop_back();
        const ListedEntry& at = pool_[node.id].entry;
        if (at.time > latest || !seen.insert(key(node)).second) continue;
        if (has_stage(plan_.last, node.stage)) ends.emplace_back(at.time, node);
        for (StageIndex next = static_cast<StageIndex>(node.stage + 1); next < plan_.stages; ++next) {
            if (!has_stage(plan_.previous[next], node.stage)) continue;
            const auto& gap = plan_.pattern->stages[next].within;
            const auto go_on = [&](const ReachedPlace& place) {
                if (pool_[place.id].state == State::closed) return;
                const Node to{place.id, next, exposes_all(next) ? std::uint8_t{0} : place.link};
                const Timestamp begins_at = begin_of(to);
                if (begins_at < at.time || (plan_.strict && begins_at == at.time) || (gap && begins_at - at.time > *gap)) return;
                open.push_back(to);
            };
            for (std::size_t link = 0; link < at.links.size(); ++link) {
                if (exposes_all(node.stage) || link == node.link) each_reached(at.links[link].entity, next, at.time, latest, node.id, go_on);
            }
        }
    }
}

/// The places at which instances end that hold the signal, by time.
std::vector<std::pair<Timestamp, Candidates::Node>> Candidates::ends_of(Id id) {
    const ListedEntry& own = pool_[id].entry;
    std::vector<Step> begins;
    const auto begin_at = [&](Id with, StageIndex stage, std::size_t link) {
        const Timestamp start = reached(pool_[with], stage, link).start;
        if (start != unreached) begins.push_back({start, {with, stage, static_cast<std::uint8_t>(link)}});
    };
    each_stage(own.stages, [&](StageIndex stage) {
        for (std::size_t link = 0; link < (exposes_all(stage) ? 1 : own.links.size()); ++link) {
            begin_at(id, stage, link);
            if (!has_stage(plan_.repeated, stage) || !serves(pool_[id], stage, link)) continue;
            // It is evidence of what later ones complete.
            each_reached(own.links[link].entity, stage, own.time, own.time + plan_.pattern->stages[stage].repeat->within, id, [&](const ReachedPlace& place) {
                if (begin_of({place.id, stage, place.link}) <= own.time) begin_at(place.id, stage, place.link);
            });
        }
    });
    std::stable_sort(begins.begin(), begins.end(), [](const Step& left, const Step& right) { return left.start > right.start; });
    std::vector<std::pair<Timestamp, Node>> ends;
    boost::unordered_flat_set<std::uint64_t> seen;
    for (const Step& begin : begins) follow(begin, seen, ends);
    std::sort(ends.begin(), ends.end());
    return ends;
}

/// Goes back from there to all that starts at `bound` or later. Of the newest signal's instances what was told before is not told again, but which sets it is
/// of.
void Candidates::explore(const Node& end, Timestamp bound, Exploration& exploration) {
    const auto join = [&](SetNumber set) {
        if (set != no_set) set = sets_.find(set);
        auto& joins = exploration.joins;
        if (std::find(joins.begin(), joins.end(), set) == joins.end()) joins.push_back(set);
    };
    const auto take = [&](Id id, StageIndex stage, bool completes) {
        const auto [place, is_new] = exploration.parts.try_emplace(id, Part{id, 0, 0});
        Part& part = place->second;
        if (is_new && pool_[id].held) join(pool_[id].set);
        part.serves = static_cast<StageMask>(part.serves | stage_bit(stage));
        if (completes) part.completes = static_cast<StageMask>(part.completes | stage_bit(stage));
    };
    std::vector<Node> open{end};
    std::vector<Id> paired;  // with the node looked at, of those that may be in several stages
    SetNumber last_set = no_set;
    while (!open.empty() && exploration.floor == Timestamp::min()) {
        const Node node = open.back();
        open.pop_back();
        if (!exploration.seen.insert(key(node)).second) continue;
        const Candidate& one = pool_[node.id];
        const ListedEntry& at = one.entry;
        const Timestamp begin = begin_of(node);
        take(node.id, node.stage, true);
        if (has_stage(plan_.repeated, node.stage)) {
            each_after(at.links[node.link].entity, begin, at.time, node.id, [&](const Place& place) {
                if (!serves(pool_[place.id], node.stage, place.link)) return;
                take(place.id, node.stage, false);
                if (!exploration.is_newest) exploration.joined.emplace_back(node.id, place.id);
            });
        }
        const Timestamp explored = reached(one, node.stage, node.link).explored;
        if (exploration.is_newest && explored <= bound) continue;
        exploration.again = exploration.again || (is_chain() && std::any_of(one.reached.begin(), one.reached.end(),
                                                                            [](const Reached& other) { return other.explored != Timestamp::max(); }));
        exploration.explored_before.emplace_back(node, explored);
        set_explored(node, std::min(explored, bound));
        if (has_stage(plan_.first, node.stage) && begin >= bound) exploration.begins.emplace_back(begin, node);
        for (std::size_t link = 0; link < at.links.size(); ++link) {
            if (!exposes_all(node.stage) && link != node.link) continue;
            const EntityId linking = at.links[link].entity;
            paired.clear();
            std::uint32_t pairs = 0;
            each_before(linking, node.stage, begin, bound, node.id, [&](StageIndex stage, const ReachedPlace& place) {
                if (place.start < bound) return true;
                if (!floors_.empty() && pool_[place.id].state == State::closed) {
                    exploration.floor = floors_.at(place.id);
                    return false;
                }
                if (!exploration.is_newest) {
                    if (is_chain()) exploration.pairs.push_back({linking, pool_[place.id].entry.signal, at.signal});
                    exploration.joined.emplace_back(node.id, place.id);
                } else if (is_chain()) {
                    if (stage_count(place.stages) > 1) paired.push_back(place.id);
                    else ++pairs;
                }
                const Node to{place.id, stage, exposes_all(stage) ? std::uint8_t{0} : place.link};
                if (!exploration.is_newest || place.explored > bound) {
                    open.push_back(to);
                } else if (place.set == no_set) {
                    if (!exploration.seen.contains(key(to))) join(no_set);  // else explored just now
                } else if (place.set != last_set) {
                    join(place.set);
                    last_set = place.set;
                }
                return true;
            });
            std::sort(paired.begin(), paired.end());
            pairs += static_cast<std::uint32_t>(std::unique(paired.begin(), paired.end()) - paired.begin());
            if (pairs > 0) count(exploration.links, linking, pairs);
        }
    }
}

/// Goes back from all these ends, by time; to what starts at `start_min`, or later where a closed signal was met: L tells of chains that start then or later
/// whether there are any, and the closed one is in none of these. What was done before it was met is done again.
Candidates::Exploration Candidates::explore_all(const std::vector<std::pair<Timestamp, Node>>& ends, bool is_newest, Timestamp start_min) {
    for (;;) {
        Exploration exploration{is_newest};
        for (const auto& [time, end] : ends) {
            const Timestamp bound = std::max(time - plan_.within, start_min);
            if (reached(pool_[end.id], end.stage, end.link).start >= bound) explore(end, bound, exploration);
            if (exploration.floor != Timestamp::min()) break;
        }
        if (exploration.floor == Timestamp::min()) return exploration;
        start_min = std::max(start_min + Duration{1}, exploration.floor);
        for (auto one = exploration.explored_before.rbegin(); one != exploration.explored_before.rend(); ++one) set_explored(one->first, one->second);
    }
}

bool Candidates::is_plain(std::span<const ListedEntry> group) const {
    if (plan_.pattern->order == Order::any) return false;
    for (std::size_t i = 0; i < group.size(); ++i) {
        if (group[i].late) return false;
        // The same signal first and last, with another of that instant between: a chain does not see that.
        const bool has_tie = (i > 0 && group[i - 1].time == group[i].time) || (i + 1 < group.size() && group[i + 1].time == group[i].time);
        if (plan_.stages > 2 && has_tie && stage_count(group[i].completes) > 1) return false;
    }
    return true;
}

std::optional<std::vector<Candidates::Set>> Candidates::sets(std::span<const ListedEntry> group, Timestamp start_min, Timestamp end_min) {
    steps_left_ = most_group_steps;
    std::vector<std::pair<Timestamp, Node>> ends;
    for (const ListedEntry& entry : group) {
        if (entry.time < end_min || (entry.completes & plan_.last) == 0) continue;
        const Id id = find(entry).value();
        each_stage(static_cast<StageMask>(entry.completes & plan_.last), [&](StageIndex stage) {
            for (std::size_t link = 0; link < (exposes_all(stage) ? 1 : entry.links.size()); ++link) {
                if (reached(pool_[id], stage, link).start != unreached) ends.emplace_back(entry.time, Node{id, stage, static_cast<std::uint8_t>(link)});
            }
        });
    }
    Exploration all = explore_all(ends, false, start_min);
    std::erase_if(ends, [&](const auto& end) { return !all.seen.contains(key(end.second)); });

    boost::unordered_flat_map<Id, std::uint32_t> numbers;
    VertexGroups together;
    std::vector<Id> ids;
    for (const auto& [id, part] : all.parts) ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    for (const Id id : ids) numbers.emplace(id, together.add());
    for (const auto& [one, other] : all.joined) together.unite(numbers.at(one), numbers.at(other));
    std::map<std::uint32_t, Set> sets;
    const auto set_of = [&](Id id) -> Set& { return sets[together.find(numbers.at(id))]; };
    for (const Id id : ids) set_of(id).parts.push_back(all.parts.at(id));
    std::sort(all.pairs.begin(), all.pairs.end());
    all.pairs.erase(std::unique(all.pairs.begin(), all.pairs.end()), all.pairs.end());
    boost::unordered_flat_map<std::uint32_t, Id> by_signal;
    for (const Id id : ids) by_signal.emplace(pool_[id].entry.signal.value(), id);
    for (const ListedInstance::Pair& pair : all.pairs) count(set_of(by_signal.at(pair.after.value())).links, pair.entity, 1);
    for (const auto& [time, end] : ends) {
        Set& set = set_of(end.id);
        set.end = std::max(set.end, time);
        if (!is_chain()) set.principals.push_back(entity(end.id, end.link));
    }
    std::map<std::uint32_t, std::vector<Step>> first_begins;
    for (const auto& [begin, node] : all.begins) {
        Set& set = set_of(node.id);
        std::vector<Step>& begins = first_begins[together.find(numbers.at(node.id))];
        if (begin < set.first.start) begins.clear();
        set.first.start = std::min(set.first.start, begin);
        if (begin == set.first.start) begins.push_back({begin, node});
    }
    for (const auto& [number, begins] : first_begins) {
        Set& set = sets.at(number);
        std::vector<std::pair<Timestamp, Node>> reached_ends;
        boost::unordered_flat_set<std::uint64_t> seen;
        for (const Step& begin : begins) follow(begin, seen, reached_ends);
        std::erase_if(reached_ends, [&](const auto& end) { return end.first < end_min; });
        if (steps_left_ == 0 || reached_ends.empty()) break;
        const auto earlier = [&](const auto& left, const auto& right) {
            return left.first != right.first ? left.first < right.first
                                             : window_.before(pool_[left.second.id].entry.signal, pool_[right.second.id].entry.signal);
        };
        const auto& [end, node] = *std::min_element(reached_ends.begin(), reached_ends.end(), earlier);
        set.first.end = end;
        set.anchor = pool_[node.id].entry.signal;
    }
    if (steps_left_ == 0) return std::nullopt;
    std::vector<Set> found;
    for (auto& [number, set] : sets) found.push_back(std::move(set));
    // By what they are, not by numbers of candidates.
    std::sort(found.begin(), found.end(), [&](const Set& left, const Set& right) {
        return left.first != right.first ? left.first < right.first : window_.before(left.anchor, right.anchor);
    });
    return found;
}

void Candidates::note_newest(const Candidate& one) {
    const auto note = [&](EntityId entity, StageIndex stage) {
        auto& front = reachable_[key(entity, stage)].front;
        if (front.empty()) front.push_back({one.entry.time, one.entry.time});
        else if (front[0].end < one.entry.time) front[0] = {one.entry.time, one.entry.time};
    };
    each_stage(one.entry.stages, [&](StageIndex stage) {
        if (is_chain()) {
            note(anyone, stage);
            return;
        }
        for (const ListedEntry::Link& link : one.entry.links) note(link.entity, stage);
    });
}

/// The mandatory stages that signals of the entity since then offer.
StageMask Candidates::offered_recently(EntityId entity, Timestamp since) const {
    StageMask offered = 0;
    each_stage(plan_.mandatory, [&](StageIndex stage) {
        const auto newest = reachable_.find(key(entity, stage));
        if (newest != reachable_.end() && newest->second.front[0].end >= since) offered = static_cast<StageMask>(offered | stage_bit(stage));
    });
    return offered;
}

/// Without an order what lies within one `within` of the signal and offers all that is needed is listed: no chain tells more.
std::vector<Candidates::Part> Candidates::parts_in_any_order(Id id) {
    note_newest(pool_[id]);
    const ListedEntry& own = pool_[id].entry;
    const Timestamp since = own.time - plan_.within;
    Parts parts;
    if (is_chain()) {
        if (offered_recently(anyone, since) == plan_.mandatory) gather_linked(id, parts);
        return ordered(parts);
    }
    for (std::size_t link = 0; link < own.links.size(); ++link) {
        if (offered_recently(own.links[link].entity, since) == plan_.mandatory) gather_of(id, link, parts);
    }
    return ordered(parts);
}

void Candidates::gather_of(Id id, std::size_t link, Parts& parts) {
    const ListedEntry& own = pool_[id].entry;
    Parts near;
    StageMask offered = 0;
    // No instance ends before its last signal: those that end before `end_min` are left to the listing.
    each_after(own.links[link].entity, own.time - plan_.within, own.time + plan_.within, std::numeric_limits<Id>::max(), [&](const Place& place) {
        if (pool_[place.id].state == State::closed) return;
        offered = static_cast<StageMask>(offered | place.stages);
        near.emplace(place.id, Part{place.id, place.stages, place.stages});
    });
    if ((plan_.mandatory & ~offered) == 0) parts.insert(near.begin(), near.end());
}

/// Under `chain`: what stages next to each other connect.
void Candidates::gather_linked(Id id, Parts& parts) {
    const Timestamp time = pool_[id].entry.time;
    Parts near;
    std::set<Node> seen;
    std::vector<Node> open;
    const auto open_stage = [&](Id of, StageIndex stage, std::uint8_t link) {
        const Node node{of, stage, exposes_all(stage) ? std::uint8_t{0} : link};
        if (serves(pool_[of], stage, link) && seen.insert(node).second) open.push_back(node);
    };
    each_stage(pool_[id].entry.stages, [&](StageIndex stage) {
        for (std::size_t link = 0; link < pool_[id].entry.links.size(); ++link) open_stage(id, stage, static_cast<std::uint8_t>(link));
    });
    StageMask offered = 0;
    while (!open.empty()) {
        const Node node = open.back();
        open.pop_back();
        const ListedEntry& at = pool_[node.id].entry;
        offered = static_cast<StageMask>(offered | stage_bit(node.stage));
        near.emplace(node.id, Part{node.id, at.stages, at.stages});
        const auto go_on = [&](const Place& place) {
            if (pool_[place.id].state == State::closed) return;
            each_stage(place.stages, [&](StageIndex stage) {
                const bool repeats = stage == node.stage && has_stage(plan_.repeated, stage);
                if (repeats || has_stage(plan_.previous[stage], node.stage) || has_stage(plan_.previous[node.stage], stage))
                    open_stage(place.id, stage, place.link);
            });
        };
        for (std::size_t link = 0; link < at.links.size(); ++link) {
            if (exposes_all(node.stage) || link == node.link) each_after(at.links[link].entity, time - plan_.within, time + plan_.within, node.id, go_on);
        }
    }
    if ((plan_.mandatory & ~offered) == 0) parts.insert(near.begin(), near.end());
}

std::vector<Candidates::Part> Candidates::ordered(const Parts& parts) const {
    std::vector<Part> all;
    all.reserve(parts.size());
    for (const auto& [id, part] : parts) all.push_back(part);
    std::sort(all.begin(), all.end(),
              [&](const Part& left, const Part& right) { return window_.before(pool_[left.candidate].entry.signal, pool_[right.candidate].entry.signal); });
    return all;
}

std::vector<const ListedEntry*> Candidates::of(EntityId entity, Timestamp from, Timestamp to) const {
    std::vector<const ListedEntry*> found;
    const auto line = lines_.find(entity.value());
    if (line == lines_.end()) return found;
    auto one = std::partition_point(line->second.begin(), line->second.end(), [&](const Place& place) { return place.time < from; });
    for (; one != line->second.end() && one->time <= to; ++one) found.push_back(&pool_[one->id].entry);
    return found;
}

std::vector<const ListedEntry*> Candidates::reached_from(EntityId entity, Timestamp from, Timestamp to, Way way, Timestamp limit, std::size_t most) const {
    std::vector<Id> found;
    boost::unordered_flat_set<Id> seen;
    std::size_t looks = 8 * most;
    bool begins = way == Way::onward;
    const auto take = [&](EntityId of, Timestamp since, Timestamp until, StageMask stages) {
        const auto line = lines_.find(of.value());
        if (line == lines_.end()) return;
        auto one = std::partition_point(line->second.begin(), line->second.end(), [&](const Place& place) { return place.time < since; });
        for (; one != line->second.end() && one->time <= until && found.size() < most && looks > 0; ++one, --looks) {
            if ((one->stages & stages) == 0 || (begins && one->link != 0)) continue;
            if (seen.insert(one->id).second) found.push_back(one->id);
        }
    };
    const bool is_sequence = plan_.pattern->order == Order::sequence;
    const bool onward = way == Way::onward;
    take(entity, from, to, plan_.all);
    begins = false;
    for (std::size_t next = 0; next < found.size() && found.size() < most; ++next) {
        const ListedEntry& at = pool_[found[next]].entry;
        // A burst goes on with signals of its own stage.
        const unsigned lowest = at.stages & (~unsigned{at.stages} + 1U);
        const unsigned highest = std::bit_floor(unsigned{at.stages});
        const unsigned behind = onward ? (lowest - 1U) | (lowest & ~unsigned{plan_.repeated}) : ~(highest - 1U) & ~(highest & plan_.repeated);
        const auto wanted = static_cast<StageMask>(plan_.all & (is_sequence ? ~behind : ~0U));
        for (const ListedEntry::Link& link : at.links) {
            if (!is_sequence) take(link.entity, std::min(from, limit), std::max(to, limit), wanted);
            else take(link.entity, onward ? at.time : limit, onward ? limit : at.time, wanted);
        }
    }
    std::vector<const ListedEntry*> entries;
    for (const Id id : found) entries.push_back(&pool_[id].entry);
    std::sort(entries.begin(), entries.end(), [&](const ListedEntry* left, const ListedEntry* right) { return window_.before(left->signal, right->signal); });
    return entries;
}

void Candidates::forget(const std::vector<Id>& over, Timestamp reach) {
    if (over.empty()) return;
    for (const Id id : over) pool_[id].state = State::let_go;
    const auto is_over = [&](const Place& place) { return pool_[place.id].state == State::let_go; };
    erase_if(lines_, [&](auto& line) {
        std::erase_if(line.second, is_over);
        return line.second.empty();
    });
    // What comes from now on is at least one `within` later than `reach`.
    erase_if(reachable_, [&](auto& reachable) {
        auto& [front, all] = reachable.second;
        front.erase(std::remove_if(front.begin(), front.end(), [&](const FrontEntry& one) { return one.start < reach; }), front.end());
        reachable_places_ -= std::erase_if(all, [&](const ReachedPlace& place) { return pool_[place.id].state == State::let_go; });
        return front.empty() && all.empty();
    });
    for (const Id id : over) {
        Candidate& one = pool_[id];
        floors_.erase(id);
        each_stage(static_cast<StageMask>(one.entry.stages & plan_.repeated), [&](StageIndex stage) {
            for (std::size_t link = 0; link < one.entry.links.size(); ++link) begins_.erase(key(Node{id, stage, static_cast<std::uint8_t>(link)}));
        });
        account(one, false);
        one = Candidate{};
        free_.push_back(id);
    }
}

/// Kept as it changes: asked for with every status.
std::size_t Candidates::bytes() const {
    return pool_.capacity() * sizeof(Candidate) + free_.capacity() * sizeof(Id) + links_ * (sizeof(ListedEntry::Link) + sizeof(Place)) +
           reached_beyond_ * sizeof(Reached) + lines_.bucket_count() * (sizeof(std::uint32_t) + sizeof(Line) + 1) + reachable_places_ * sizeof(ReachedPlace) +
           reachable_.bucket_count() * (sizeof(std::uint64_t) + sizeof(Reachable) + 1) +
           begins_.bucket_count() * (sizeof(std::uint64_t) + sizeof(Timestamp) + 1);
}

}  // namespace catenary::engine
