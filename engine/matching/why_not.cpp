#include "engine/matching/why_not.hpp"

#include "engine/matching/chain_walk.hpp"
#include "engine/matching/met_condition.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <tuple>

namespace catenary::engine {
namespace {

using Reason = WhyNot::Reason;

constexpr std::size_t most_compared = 1'000'000;

template <class T>
class Numbers {
public:
    std::uint32_t operator()(const T& value) { return known_.try_emplace(value, static_cast<std::uint32_t>(known_.size())).first->second; }

private:
    std::map<T, std::uint32_t> known_;
};

/// A signal that satisfies a stage and does not take part.
struct Refused {
    const Signal* signal;
    StageMask stages;
    Reason reason;
    std::int64_t named = 0;  ///< fan_out: entities of the kind
};

class Answer {
public:
    Answer(const Pattern& pattern, const WhyNotQuestion& question)
        : question_{question}, plan_{std::make_shared<const Pattern>(pattern)}, pattern_{*plan_.pattern}, walk_{plan_, window_, values_} {}

    WhyNot run() {
        for (const SeenSignal& seen : question_.signals) take(seen);
        walk_.take(entries_);
        if (walk_.is_complete()) return whole();
        auto chains = walk_.furthest();
        WhyNot answer;
        const auto stage = chains.empty() ? static_cast<StageIndex>(std::countr_zero(plan_.mandatory)) : chains.front().awaited;
        std::erase_if(chains, [&](const UnfinishedChain& chain) { return chain.awaited != stage; });  // without an order they may await different ones
        answer.stage = pattern_.stages[stage].id;
        if (!chains.empty()) answer.reached = told(chains.back());
        if (const std::size_t satisfying = satisfied_by(stage); satisfying == 0) refused(stage, chains, answer);
        else if (!not_enough(stage, answer)) compare(stage, chains, answer);
        return answer;
    }

private:
    bool links_by(const std::string& kind) const {
        return std::find(pattern_.link_kinds.begin(), pattern_.link_kinds.end(), kind) != pattern_.link_kinds.end();
    }
    bool groups_by(const std::string& kind) const {
        return std::any_of(pattern_.stages.begin(), pattern_.stages.end(), [&](const Stage& stage) { return stage.repeat && stage.repeat->by == kind; });
    }
    static std::int64_t of_kind(const Signal& signal, const std::string& kind) {
        return std::count_if(signal.entities.begin(), signal.entities.end(), [&](const EntityMention& other) { return other.kind == kind; });
    }

    void take(const SeenSignal& seen) {
        const Signal& signal = seen.signal;
        const BorrowedSignal borrowed{signal};
        StageMask stages = 0;
        for (std::size_t i = 0; i < pattern_.stages.size(); ++i) {
            if (pattern_.stages[i].match.matches(borrowed.view())) stages = static_cast<StageMask>(stages | stage_bit(i));
        }
        if (stages == 0) return;
        if (seen.behind_horizon) {
            refused_.push_back({&signal, stages, Reason::behind_horizon});
            return;
        }
        ListedEntry entry{signal.time, {}, stages, false, {}};
        Reason reason = Reason::not_linked;
        std::int64_t named = 0;
        if (pattern_.link == LinkMode::none && pattern_.link_kinds.empty()) {
            entry.links.push_back({EntityId{0}, plan_.repeated});
        } else {
            for (const EntityMention& mention : signal.entities) {
                const EntityKey key{mention.kind, mention.value};
                if (!links_by(mention.kind)) continue;
                const bool is_asked_for = key == question_.entity;
                if (pattern_.link == LinkMode::same && !is_asked_for) continue;
                if (const auto count = of_kind(signal, mention.kind); count > static_cast<std::int64_t>(question_.unlinkable_limit)) {
                    if (reason == Reason::not_linked) reason = Reason::fan_out;
                    named = count;
                } else if (!mention.identifies || (question_.denied.contains(key) && !groups_by(mention.kind))) {
                    reason = Reason::hub;
                } else {
                    entry.links.push_back({EntityId{entities_(key)}, counted_by(mention.kind)});
                }
            }
        }
        if (entry.links.empty()) {
            refused_.push_back({&signal, stages, reason, named});
            return;
        }
        std::sort(entry.links.begin(), entry.links.end(), [](const auto& left, const auto& right) { return left.entity < right.entity; });
        entry.signal = held(borrowed.view(), false);
        each_stage(static_cast<StageMask>(stages & plan_.distinct),
                   [&](StageIndex stage) { values_.add(entry.signal, stage, field_values(*pattern_.stages[stage].repeat->distinct, borrowed.view())); });
        entries_.push_back(std::move(entry));
    }

    StageMask counted_by(const std::string& kind) const {
        StageMask stages = 0;
        each_stage(plan_.repeated, [&](StageIndex stage) {
            if (pattern_.stages[stage].repeat->by == kind) stages = static_cast<StageMask>(stages | stage_bit(stage));
        });
        return stages;
    }

    std::vector<WhyNot::Reached> told(const UnfinishedChain& chain) const {
        std::vector<WhyNot::Reached> reached;
        for (const ReachedStage& one : chain.reached) reached.push_back({pattern_.stages[one.stage].id, window_.ref(one.signal)});
        return reached;
    }

    std::size_t satisfied_by(StageIndex stage) const {
        return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [&](const ListedEntry& one) { return has_stage(one.stages, stage); }));
    }

    /// Every stage is reached by signals that link.
    WhyNot whole() {
        WhyNot answer;
        if (const auto met = met_condition(entries_, unwanted(), plan_, window_, values_)) {
            answer.reason = Reason::not_absent;
            answer.condition = met->condition;
            if (met->first) answer.closest = window_.ref(*met->first);
            return answer;
        }
        if (!pattern_.required_domains) return answer;
        std::set<Symbol> domains;
        for (const ListedEntry& entry : entries_) domains.insert(window_.domain(entry.signal));
        if (domains.size() >= static_cast<std::size_t>(*pattern_.required_domains)) return answer;
        answer.reason = Reason::too_few_domains;
        answer.counted = static_cast<std::int64_t>(domains.size());
        answer.needed = *pattern_.required_domains;
        return answer;
    }

    /// What satisfies an absence condition, whether it links or not. Only once the walk is over: its entries have the first handles.
    std::vector<UnwantedSignal> unwanted() {
        std::vector<UnwantedSignal> all;
        for (const SeenSignal& seen : question_.signals) {
            if (pattern_.absent.empty() || seen.behind_horizon) continue;
            const BorrowedSignal borrowed{seen.signal};
            UnwantedSignal one{{}, 0, {}};
            for (std::size_t i = 0; i < pattern_.absent.size(); ++i) {
                if (pattern_.absent[i].match.matches(borrowed.view())) one.conditions = static_cast<StageMask>(one.conditions | stage_bit(i));
            }
            if (one.conditions == 0) continue;
            if (pattern_.link == LinkMode::none) one.mentions.push_back(EntityId{0});
            for (const EntityMention& mention : seen.signal.entities) {
                if (pattern_.link != LinkMode::none && links_by(mention.kind)) one.mentions.push_back(EntityId{entities_({mention.kind, mention.value})});
            }
            if (one.mentions.empty()) continue;
            one.signal = held(borrowed.view(), seen.late);
            all.push_back(std::move(one));
        }
        return all;
    }

    SignalHandle held(const SignalView& signal, bool is_late) {
        const Symbol source{words_(std::string{signal.source})}, domain{words_(std::string{signal.domain})}, name{words_(std::string{signal.name})};
        return window_.add(signal, is_late, Origin{origins_({source, domain, name})}, source, domain, name, {});
    }

    /// No signal that links satisfies the stage.
    void refused(StageIndex stage, const std::vector<UnfinishedChain>& chains, WhyNot& answer) const {
        answer.reason = Reason::no_signal;
        const Timestamp end = chains.empty() ? Timestamp::min() : chains.back().end;
        // What came closest to taking part, then to the chain.
        const auto key = [&](const Refused& one) {
            const int rank = one.reason == Reason::behind_horizon ? 0 : one.reason == Reason::fan_out ? 1 : one.reason == Reason::hub ? 2 : 3;
            return std::tuple{rank, one.signal->time < end, one.signal->time};
        };
        const Refused* best = nullptr;
        for (const Refused& one : refused_) {
            if (has_stage(one.stages, stage) && (best == nullptr || key(one) < key(*best))) best = &one;
        }
        if (best == nullptr) return;
        answer.reason = best->reason;
        answer.closest = SignalRef{best->signal->time, best->signal->source, best->signal->id};
        if (best->reason != Reason::fan_out) return;
        answer.counted = best->named;
        answer.needed = static_cast<std::int64_t>(question_.unlinkable_limit);
    }

    bool not_enough(StageIndex stage, WhyNot& answer) const {
        if (!has_stage(plan_.repeated, stage)) return false;
        const Repeat& repeat = *pattern_.stages[stage].repeat;
        const auto most = walk_.most_counted(stage).count;
        if (most >= repeat.at_least) return false;
        answer.reason = Reason::not_enough;
        answer.counted = most;
        answer.needed = repeat.at_least;
        answer.limit = repeat.within;
        return true;
    }

    struct Miss {
        Reason reason;
        Duration by;
        Duration limit{};
    };
    /// How far the signal is from going on from the chain; empty: as far as time goes it may.
    std::optional<Miss> miss(StageIndex stage, const ListedEntry& entry, const UnfinishedChain& chain) const {
        if (pattern_.order == Order::any) {
            const Duration span = std::max(entry.time, chain.end) - std::min(entry.time, chain.start);
            if (span > plan_.within) return Miss{Reason::span_too_long, span - plan_.within, plan_.within};
            return std::nullopt;
        }
        if (entry.time < chain.end) return Miss{Reason::wrong_order, chain.end - entry.time};
        const bool is_same = std::any_of(chain.reached.begin(), chain.reached.end(), [&](const ReachedStage& one) { return one.signal == entry.signal; });
        if (is_same || (pattern_.strict && entry.time == chain.end)) return Miss{Reason::same_instant, Duration{0}};
        const auto& gap = pattern_.stages[stage].within;
        if (gap && entry.time - chain.end > *gap) return Miss{Reason::gap_too_long, entry.time - chain.end - *gap, *gap};
        if (entry.time - chain.start > plan_.within) return Miss{Reason::span_too_long, entry.time - chain.start - plan_.within, plan_.within};
        return std::nullopt;
    }

    /// Signals satisfy the stage, and none goes on from the chains.
    void compare(StageIndex stage, const std::vector<UnfinishedChain>& chains, WhyNot& answer) const {
        const auto gone_on_from = [&](const ListedEntry& entry, const UnfinishedChain& chain) {
            if (pattern_.link != LinkMode::chain) return true;
            const ListedEntry& last = entries_[chain.reached.back().signal.value()];  // the window was empty, so handles count from 0
            return std::any_of(entry.links.begin(), entry.links.end(), [&](const ListedEntry::Link& link) {
                return std::any_of(last.links.begin(), last.links.end(), [&](const ListedEntry::Link& other) { return other.entity == link.entity; });
            });
        };
        std::optional<Miss> least;
        std::size_t compared = 0;
        const ListedEntry* unlinked = nullptr;
        for (auto chain = chains.rbegin(); chain != chains.rend() && compared < most_compared; ++chain) {
            for (const ListedEntry& entry : entries_) {
                if (!has_stage(entry.stages, stage)) continue;
                ++compared;
                const auto found = miss(stage, entry, *chain);
                if (!found || !gone_on_from(entry, *chain)) {
                    if (!found) unlinked = &entry;
                    continue;
                }
                if (least && found->by >= least->by) continue;
                least = found;
                answer.closest = window_.ref(entry.signal);
                answer.reached = told(*chain);
            }
        }
        if (!least) {
            answer.reason = chains.empty() ? Reason::span_too_long : Reason::not_linked;
            answer.limit = chains.empty() ? std::optional{plan_.within} : std::nullopt;
            if (unlinked != nullptr) answer.closest = window_.ref(unlinked->signal);
            return;
        }
        answer.reason = least->reason;
        if (least->reason == Reason::same_instant) return;
        answer.by = least->by;
        if (least->reason != Reason::wrong_order) answer.limit = least->limit;
    }

    const WhyNotQuestion& question_;
    StagePlan plan_;
    const Pattern& pattern_;
    SignalWindow window_;
    DistinctValues values_;
    std::vector<ListedEntry> entries_;
    std::vector<Refused> refused_;
    Numbers<EntityKey> entities_;
    Numbers<std::string> words_;
    Numbers<std::tuple<Symbol, Symbol, Symbol>> origins_;
    ChainWalk walk_;
};

}  // namespace

const char* to_string(Reason reason) {
    switch (reason) {
        case Reason::matched: return "matched";
        case Reason::no_signal: return "no_signal";
        case Reason::behind_horizon: return "behind_horizon";
        case Reason::fan_out: return "fan_out";
        case Reason::hub: return "hub";
        case Reason::not_linked: return "not_linked";
        case Reason::not_enough: return "not_enough";
        case Reason::wrong_order: return "wrong_order";
        case Reason::same_instant: return "same_instant";
        case Reason::gap_too_long: return "gap_too_long";
        case Reason::span_too_long: return "span_too_long";
        case Reason::not_absent: return "not_absent";
        case Reason::too_few_domains: break;
    }
    return "too_few_domains";
}

WhyNot why_not(const Pattern& pattern, const WhyNotQuestion& question) { return Answer{pattern, question}.run(); }

}  // namespace catenary::engine
