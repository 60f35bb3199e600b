#include "tests/property/shrink.hpp"

#include <algorithm>
#include <optional>

namespace catenary::property {
namespace {

using Candidates = std::vector<Case>;

void add_without_signals(const Case& c, Candidates& candidates) {
    for (std::size_t index = 0; index < c.signals.size(); ++index) {
        candidates.push_back(c);
        candidates.back().signals.erase(candidates.back().signals.begin() + static_cast<std::ptrdiff_t>(index));
    }
}

engine::StageMask without_bit(engine::StageMask mask, std::size_t bit) {
    const auto below = static_cast<engine::StageMask>(mask & ((1u << bit) - 1u));
    return static_cast<engine::StageMask>(below | ((mask >> (bit + 1)) << bit));
}

template <class Which>
void remove_conditions(Case& c, Which which) {
    for (std::size_t index = c.pattern.absent.size(); index-- > 0;) {
        if (!which(c.pattern.absent[index])) continue;
        c.pattern.absent.erase(c.pattern.absent.begin() + static_cast<std::ptrdiff_t>(index));
        for (auto& signal : c.signals) signal.unwanted = static_cast<std::uint8_t>(without_bit(signal.unwanted, index));
    }
}

void add_without_stages(const Case& c, Candidates& candidates) {
    // A chain links stages: with one there is nothing to link.
    const std::size_t fewest = c.pattern.link == engine::LinkMode::chain ? 2 : 1;
    for (std::size_t stage = 0; stage < c.pattern.stages.size() && c.pattern.stages.size() > fewest; ++stage) {
        Case smaller = c;
        smaller.pattern.stages.erase(smaller.pattern.stages.begin() + static_cast<std::ptrdiff_t>(stage));
        const auto is_optional = [](const engine::Stage& left) { return left.optional; };
        if (std::all_of(smaller.pattern.stages.begin(), smaller.pattern.stages.end(), is_optional)) continue;
        for (auto& signal : smaller.signals) {
            signal.stages = without_bit(signal.stages, stage);
            signal.distinct.erase(signal.distinct.begin() + static_cast<std::ptrdiff_t>(stage));
        }
        remove_conditions(smaller, [&](const engine::Absence& absence) {
            return absence.stage == stage || (absence.where == engine::Absence::Where::between && absence.until == stage);
        });
        for (auto& absence : smaller.pattern.absent) {
            absence.stage -= absence.stage > stage ? 1u : 0u;
            absence.until -= absence.until > stage ? 1u : 0u;
        }
        std::erase_if(smaller.signals, [](const oracle::Signal& signal) { return signal.stages == 0 && signal.unwanted == 0; });
        candidates.push_back(std::move(smaller));
    }
}

void add_simpler_patterns(const Case& c, Candidates& candidates) {
    const auto with = [&](auto change) {
        candidates.push_back(c);
        change(candidates.back());
    };
    if (c.pattern.strict) with([](Case& simpler) { simpler.pattern.strict = false; });
    if (c.pattern.max_span < std::chrono::days{14}) with([](Case& simpler) { simpler.pattern.max_span = std::chrono::days{14}; });
    if (c.effective_from != engine::Timestamp::min()) with([](Case& simpler) { simpler.effective_from = engine::Timestamp::min(); });
    for (std::size_t index = 0; index < c.pattern.absent.size(); ++index) {
        with([&](Case& simpler) {
            std::size_t number = 0;
            remove_conditions(simpler, [&](const engine::Absence&) { return c.pattern.absent.size() - 1 - number++ == index; });
        });
    }
    if (c.pattern.required_domains) with([](Case& simpler) { simpler.pattern.required_domains.reset(); });
    for (std::size_t index = 0; index < c.pattern.stages.size(); ++index) {
        const auto& stage = c.pattern.stages[index];
        if (stage.within) with([&](Case& simpler) { simpler.pattern.stages[index].within.reset(); });
        if (stage.optional) with([&](Case& simpler) { simpler.pattern.stages[index].optional = false; });
        if (!stage.repeat) continue;
        with([&](Case& simpler) { simpler.pattern.stages[index].repeat.reset(); });
        if (stage.repeat->distinct) with([&](Case& simpler) { simpler.pattern.stages[index].repeat->distinct.reset(); });
        if (stage.repeat->at_least > 1) with([&](Case& simpler) { --simpler.pattern.stages[index].repeat->at_least; });
    }
}

void add_simpler_signals(const Case& c, Candidates& candidates) {
    const auto with = [&](std::size_t index, auto change) {
        candidates.push_back(c);
        change(candidates.back().signals[index]);
    };
    for (std::size_t index = 0; index < c.signals.size(); ++index) {
        const auto& signal = c.signals[index];
        if (signal.late) with(index, [](oracle::Signal& simpler) { simpler.late = false; });
        if (signal.count > 1) with(index, [](oracle::Signal& simpler) { simpler.count = 1; });
        for (std::size_t entity = 0; entity < signal.entities.size(); ++entity) {
            with(index, [&](oracle::Signal& simpler) { simpler.entities.erase(simpler.entities.begin() + static_cast<std::ptrdiff_t>(entity)); });
        }
        for (std::size_t stage = 0; stage < c.pattern.stages.size(); ++stage) {
            const auto fewer = static_cast<engine::StageMask>(signal.stages & ~(1u << stage));
            if ((fewer != 0 || signal.unwanted != 0) && fewer != signal.stages) with(index, [&](oracle::Signal& simpler) { simpler.stages = fewer; });
            if (!signal.distinct[stage].empty()) with(index, [&](oracle::Signal& simpler) { simpler.distinct[stage].pop_back(); });
        }
    }
    for (std::size_t index = 0; index < c.signals.size(); ++index) {
        for (std::size_t condition = 0; condition < c.pattern.absent.size(); ++condition) {
            const auto fewer = static_cast<std::uint8_t>(c.signals[index].unwanted & ~(1u << condition));
            if (fewer != c.signals[index].unwanted && (fewer != 0 || c.signals[index].stages != 0))
                with(index, [&](oracle::Signal& simpler) { simpler.unwanted = fewer; });
        }
    }
    for (std::size_t index = 1; index < c.signals.size(); ++index) {  // towards arrival in time order
        if (!(c.signals[index].ref < c.signals[index - 1].ref)) continue;
        candidates.push_back(c);
        std::swap(candidates.back().signals[index - 1], candidates.back().signals[index]);
    }
}

}  // namespace

Case shrunk(Case c, const std::function<bool(const Case&)>& fails) {
    for (;;) {  // ends: every candidate has fewer parts, or the same parts nearer to time order
        Candidates candidates;
        add_without_stages(c, candidates);
        add_without_signals(c, candidates);
        add_simpler_patterns(c, candidates);
        add_simpler_signals(c, candidates);
        const auto smaller = std::find_if(candidates.begin(), candidates.end(), fails);
        if (smaller == candidates.end()) return c;
        c = std::move(*smaller);
    }
}

}  // namespace catenary::property
