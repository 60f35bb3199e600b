#include "engine/matching/chain_walk.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace catenary::engine {
namespace {

constexpr std::size_t most_looked_at = 8;            // ways to go on from; the newest one is nearly always the best
constexpr std::size_t most_looked_at_for_gaps = 64;  // with limits on single gaps an older one may be
constexpr std::uint64_t key_of(EntityId entity, StageIndex stage, bool left_out) {
    return std::uint64_t{entity.value()} << 8U | std::uint64_t{stage} << 1U | (left_out ? 1U : 0U);
}

Timestamp later(Timestamp time, Duration duration) { return time > Timestamp::max() - duration ? Timestamp::max() : time + duration; }

}  // namespace

void ChainWalk::take(const std::vector<ListedEntry>& entries) {
    entries_ = entries;
    for (std::size_t begin = 0, end = 0; begin < entries.size(); begin = end) {
        while (end < entries.size() && entries[end].time == entries[begin].time) ++end;
        each_stage(plan_.repeated, [&](StageIndex stage) {
            for (std::size_t i = begin; i < end; ++i) {
                if (has_stage(entries[i].stages, stage)) count(stage, entries[i]);
            }
        });
        if (plan_.pattern->order == Order::any) take_any_order(begin, end);
        else take_instant(begin, end);
    }
}

/// Stage by stage, since what comes at one instant is in any order.
void ChainWalk::take_instant(std::size_t begin, std::size_t end) {
    std::vector<EntityId> exposed;
    for (StageIndex stage = 0; stage < plan_.stages; ++stage) {
        for (std::size_t i = begin; i < end; ++i) {
            const ListedEntry& entry = entries_[i];
            if (!has_stage(entry.stages, stage)) continue;
            const bool is_repeated = has_stage(plan_.repeated, stage);
            exposed.clear();
            for (const ListedEntry::Link& link : entry.links) {
                if (!is_repeated) exposed.push_back(link.entity);
                else if (const auto counter = counters_.find(key_of(link.entity, stage, false)); counter != counters_.end()) {
                    const Counter& counted = counter->second;
                    if (counted.tight < plan_.pattern->stages[stage].repeat->at_least) continue;
                    const Timestamp first = counted.signals[counted.tight_begin].time;
                    if (entry.time - first > plan_.pattern->stages[stage].repeat->within) continue;
                    const std::array one{link.entity};
                    follow({stage, first, entry.time, static_cast<std::uint32_t>(i)}, one);
                }
            }
            if (is_repeated || exposed.empty()) continue;
            const Occurrence occurrence{stage, entry.time, entry.time, static_cast<std::uint32_t>(i)};
            if (plan_.pattern->link == LinkMode::chain) {
                follow(occurrence, exposed);
            } else {
                for (const EntityId& entity : exposed) follow(occurrence, {&entity, 1});
            }
        }
    }
}

std::int64_t ChainWalk::worth(StageIndex stage, SignalHandle signal, const std::map<DistinctValues::Value, std::uint32_t>& values) const {
    if (!has_stage(plan_.distinct, stage)) return std::clamp<std::int64_t>(window_[signal].count, 1, plan_.pattern->stages[stage].repeat->at_least);
    const auto offered = values_(signal, stage);
    return std::count_if(offered.begin(), offered.end(), [&](DistinctValues::Value value) {
        const auto known = values.find(value);
        return known != values.end() && known->second == 1;
    });
}

std::int64_t ChainWalk::include(StageIndex stage, SignalHandle signal, std::map<DistinctValues::Value, std::uint32_t>& values) const {
    if (has_stage(plan_.distinct, stage)) {
        for (const DistinctValues::Value value : values_(signal, stage)) ++values[value];
    }
    return worth(stage, signal, values);
}

void ChainWalk::exclude(StageIndex stage, SignalHandle signal, std::map<DistinctValues::Value, std::uint32_t>& values) const {
    if (!has_stage(plan_.distinct, stage)) return;
    for (const DistinctValues::Value value : values_(signal, stage)) {
        const auto known = values.find(value);
        if (--known->second == 0) values.erase(known);
    }
}

void ChainWalk::count(StageIndex stage, const ListedEntry& entry) {
    const Repeat& repeat = *plan_.pattern->stages[stage].repeat;
    for (const ListedEntry::Link& link : entry.links) {
        if (!has_stage(link.counted, stage)) continue;
        Counter& counter = counters_[key_of(link.entity, stage, false)];
        counter.signals.push_back({entry.time, entry.signal});
        counter.span += include(stage, entry.signal, counter.span_values);
        counter.tight += include(stage, entry.signal, counter.tight_values);
        for (; entry.time - counter.signals[counter.span_begin].time > repeat.within; ++counter.span_begin) {
            const SignalHandle gone = counter.signals[counter.span_begin].signal;
            counter.span -= worth(stage, gone, counter.span_values);
            exclude(stage, gone, counter.span_values);
        }
        while (counter.tight_begin + 1 < counter.signals.size()) {
            const SignalHandle first = counter.signals[counter.tight_begin].signal;
            const std::int64_t own = worth(stage, first, counter.tight_values);
            if (counter.tight - own < repeat.at_least) break;
            counter.tight -= own;
            exclude(stage, first, counter.tight_values);
            ++counter.tight_begin;
        }
        if (counter.span > most_counted_[stage].count) most_counted_[stage] = {counter.span, link.entity};
    }
}

/// Whether the chain that ends with the node has the signal at that instant: each stage wants another one.
bool ChainWalk::uses(std::uint32_t node, std::uint32_t entry, Timestamp instant) const {
    for (; node != nothing && nodes_[node].end == instant; node = nodes_[node].before) {
        if (nodes_[node].entry == entry) return true;
    }
    return false;
}

std::uint32_t ChainWalk::best_before(const Occurrence& occurrence, EntityId entity, StageIndex stage, bool with_gap, bool left_out) const {
    const auto place = ends_.find(key_of(entity, stage, left_out));
    if (place == ends_.end()) return nothing;
    const std::optional<Duration> gap = with_gap ? plan_.pattern->stages[occurrence.stage].within : std::nullopt;
    std::size_t left = gap ? most_looked_at_for_gaps : most_looked_at;
    std::uint32_t best = nothing;
    const auto& known = place->second;
    for (auto one = known.rbegin(); one != known.rend() && left > 0; ++one) {
        const Node& node = nodes_[*one];
        if (node.end > occurrence.begin || (plan_.strict && node.end == occurrence.begin)) continue;
        --left;
        if (gap && occurrence.begin - node.end > *gap) break;
        if (occurrence.end - node.start > plan_.within) continue;
        if (uses(*one, occurrence.entry, occurrence.end)) continue;
        if (best == nothing || node.start > nodes_[best].start) best = *one;
    }
    return best;
}

StageMask ChainWalk::mandatory_after(StageIndex stage) const { return static_cast<StageMask>(plan_.mandatory & ~(stage_bit(stage) | (stage_bit(stage) - 1U))); }

void ChainWalk::follow(const Occurrence& occurrence, std::span<const EntityId> exposed) {
    if (occurrence.end - occurrence.begin > plan_.within) return;
    const StageIndex stage = occurrence.stage;
    const auto below = static_cast<StageMask>(plan_.mandatory & (stage_bit(stage) - 1U));
    const Node fresh{occurrence.begin, occurrence.begin, occurrence.end, occurrence.entry, nothing, exposed.front(), stage, no_stage};
    std::optional<Node> whole, short_of_one;
    if (below == 0) whole = fresh;
    if (stage_count(below) == 1) {
        short_of_one = fresh;
        short_of_one->missing = static_cast<std::uint8_t>(std::countr_zero(below));
    }
    const auto offer_from = [&](std::optional<Node>& kept, std::uint32_t before, EntityId entity, std::uint8_t missing) {
        if (before == nothing) return;
        if (kept && kept->start >= nodes_[before].start) return;
        kept = Node{nodes_[before].start, occurrence.begin, occurrence.end, occurrence.entry, before, entity, stage, missing};
    };
    for (StageIndex previous = 0; previous < stage; ++previous) {
        const StageMask between = plan_.mandatory_between(previous, stage);
        if (stage_count(between) > 1) continue;
        for (const EntityId entity : exposed) {
            if (between == 0) {
                offer_from(whole, best_before(occurrence, entity, previous, true, false), entity, no_stage);
                const std::uint32_t before = best_before(occurrence, entity, previous, true, true);
                offer_from(short_of_one, before, entity, before == nothing ? no_stage : nodes_[before].missing);
            } else {
                offer_from(short_of_one, best_before(occurrence, entity, previous, false, false), entity, static_cast<std::uint8_t>(std::countr_zero(between)));
            }
        }
    }
    if (whole) add(*whole, exposed);
    if (short_of_one) add(*short_of_one, exposed);
}

void ChainWalk::add(Node node, std::span<const EntityId> exposed) {
    const auto number = static_cast<std::uint32_t>(nodes_.size());
    complete_ = complete_ || (node.missing == no_stage && mandatory_after(node.stage) == 0);
    nodes_.push_back(node);
    for (const EntityId entity : exposed) ends_[key_of(entity, node.stage, node.missing != no_stage)].push_back(number);
}

UnfinishedChain ChainWalk::chain_of(const Node& node) const {
    UnfinishedChain chain;
    chain.entity = node.entity;
    chain.start = node.start;
    chain.end = node.end;
    chain.missing = mandatory_after(node.stage);
    chain.until = later(node.start, plan_.within);
    if (node.missing != no_stage) {
        chain.missing = static_cast<StageMask>(chain.missing | stage_bit(node.missing));
    } else if (chain.missing != 0) {
        const auto& gap = plan_.pattern->stages[static_cast<std::size_t>(std::countr_zero(chain.missing))].within;
        if (gap) chain.until = std::min(chain.until, later(node.end, *gap));
    }
    if (chain.missing != 0) chain.awaited = static_cast<StageIndex>(std::countr_zero(chain.missing));
    for (const Node* one = &node;; one = &nodes_[one->before]) {
        chain.reached.push_back({one->stage, entries_[one->entry].signal, one->begin, one->end});
        if (one->before == nothing) break;
    }
    std::reverse(chain.reached.begin(), chain.reached.end());
    return chain;
}

std::vector<UnfinishedChain> ChainWalk::open_at(Timestamp now) const {
    std::map<EntityId, UnfinishedChain> best;
    const auto offer_chain = [&](UnfinishedChain chain) {
        if (chain.missing == 0 || chain.until < now) return;
        const auto [place, is_new] = best.try_emplace(chain.entity, chain);
        if (!is_new && std::tuple{chain.lacks(), place->second.start} < std::tuple{place->second.lacks(), chain.start}) place->second = std::move(chain);
    };
    for (const UnfinishedChain& chain : gathered_) offer_chain(chain);
    for (const Node& node : nodes_) {
        if (node.missing == no_stage && later(node.start, plan_.within) >= now) offer_chain(chain_of(node));
    }
    std::vector<UnfinishedChain> all;
    for (auto& [entity, chain] : best) all.push_back(std::move(chain));
    return all;
}

std::vector<UnfinishedChain> ChainWalk::lacking_one(Timestamp from, Timestamp to) const {
    std::vector<UnfinishedChain> all;
    std::vector<Timestamp> whole;  // ends of chains that lacked nothing, by time
    for (const UnfinishedChain& chain : gathered_) {
        if (chain.missing == 0) whole.push_back(chain.end);
    }
    for (const Node& node : nodes_) {
        if (node.missing == no_stage && mandatory_after(node.stage) == 0) whole.push_back(node.end);
    }
    std::sort(whole.begin(), whole.end());
    for (const UnfinishedChain& chain : gathered_) {
        if (chain.lacks() == 1 && chain.start >= from && chain.start <= to) all.push_back(chain);
    }
    for (const Node& node : nodes_) {
        const std::size_t lacks = stage_count(mandatory_after(node.stage)) + (node.missing == no_stage ? 0U : 1U);
        if (node.before == nothing && node.missing != no_stage) continue;  // a signal that nothing came before was never part of a chain
        if (lacks == 1 && node.start >= from && node.start <= to) all.push_back(chain_of(node));
    }
    // Where every stage came and there is no finding all the same, since something else was there that must not be, nothing is missing.
    std::erase_if(all, [&](const UnfinishedChain& chain) {
        const auto next = std::lower_bound(whole.begin(), whole.end(), chain.start);
        return next != whole.end() && *next <= chain.until;
    });
    std::stable_sort(all.begin(), all.end(), [](const UnfinishedChain& left, const UnfinishedChain& right) {
        return std::tuple{left.start, right.reached.size(), left.end} < std::tuple{right.start, left.reached.size(), right.end};
    });
    return all;
}

std::vector<UnfinishedChain> ChainWalk::furthest() const {
    std::vector<UnfinishedChain> all;
    std::size_t least = max_stages + 1;
    const auto offer_chain = [&](std::size_t lacks, auto make) {
        if (lacks > least) return;
        if (lacks < least) all.clear();
        least = lacks;
        all.push_back(make());
    };
    for (const UnfinishedChain& chain : gathered_) offer_chain(chain.lacks(), [&] { return chain; });
    for (const Node& node : nodes_) {
        if (node.missing == no_stage) offer_chain(stage_count(mandatory_after(node.stage)), [&] { return chain_of(node); });
    }
    return all;
}

void ChainWalk::take_any_order(std::size_t begin, std::size_t end) {
    std::vector<EntityId> touched;
    for (std::size_t i = begin; i < end; ++i) {
        const ListedEntry& entry = entries_[i];
        for (const ListedEntry::Link& link : entry.links) {
            auto& stages = offered_[link.entity];
            each_stage(entry.stages, [&](StageIndex stage) {
                Timestamp first = entry.time;
                if (has_stage(plan_.repeated, stage)) {
                    const auto counter = counters_.find(key_of(link.entity, stage, false));
                    if (counter == counters_.end() || counter->second.tight < plan_.pattern->stages[stage].repeat->at_least) return;
                    first = counter->second.signals[counter->second.tight_begin].time;
                    if (entry.time - first > plan_.pattern->stages[stage].repeat->within) return;
                }
                auto& newest = stages[stage];
                if (newest.size() == plan_.stages) newest.erase(newest.begin());  // more are never needed: there is one for each other stage
                newest.push_back({stage, first, entry.time, static_cast<std::uint32_t>(i)});
                touched.push_back(link.entity);
            });
        }
    }
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    for (const EntityId entity : touched) offer(entity);
}

/// As many stages as the last `within` serves by different signals: an augmenting path a stage.
void ChainWalk::offer(EntityId entity) {
    const auto& stages = offered_.at(entity);
    Timestamp now = Timestamp::min();
    for (const auto& occurrences : stages) {
        if (!occurrences.empty()) now = std::max(now, occurrences.back().end);
    }
    std::map<std::uint32_t, StageIndex> taken;  // signals, by the stage they serve
    std::array<const Occurrence*, max_stages> chosen{};
    const auto serve = [&](auto&& again, StageIndex stage, StageMask& visited) -> bool {
        if (has_stage(visited, stage)) return false;
        visited = static_cast<StageMask>(visited | stage_bit(stage));
        for (auto one = stages[stage].rbegin(); one != stages[stage].rend(); ++one) {
            if (now - one->begin > plan_.within) continue;
            const auto other = taken.find(one->entry);
            if (other != taken.end() && !again(again, other->second, visited)) continue;
            taken[one->entry] = stage;
            chosen[stage] = &*one;
            return true;
        }
        return false;
    };
    for (const StageMask wanted : {plan_.mandatory, static_cast<StageMask>(plan_.all & ~plan_.mandatory)}) {
        each_stage(wanted, [&](StageIndex stage) {
            StageMask visited = 0;
            serve(serve, stage, visited);
        });
    }
    UnfinishedChain chain;
    chain.entity = entity;
    chain.start = Timestamp::max();
    chain.end = now;
    chain.missing = plan_.mandatory;
    for (StageIndex stage = 0; stage < plan_.stages; ++stage) {
        if (chosen[stage] == nullptr) continue;
        chain.reached.push_back({stage, entries_[chosen[stage]->entry].signal, chosen[stage]->begin, chosen[stage]->end});
        chain.start = std::min(chain.start, chosen[stage]->begin);
        chain.missing = static_cast<StageMask>(chain.missing & ~stage_bit(stage));
    }
    if (chain.reached.empty()) return;
    complete_ = complete_ || chain.missing == 0;
    chain.until = later(chain.start, plan_.within);
    if (chain.missing != 0) chain.awaited = static_cast<StageIndex>(std::countr_zero(chain.missing));
    gathered_.push_back(std::move(chain));
}

}  // namespace catenary::engine
