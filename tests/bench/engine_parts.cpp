#include "tests/bench/engine_parts.hpp"

#include "engine/lane/dictionary.hpp"
#include "engine/lane/held_signals.hpp"
#include "engine/lane/stage_index.hpp"
#include "engine/matching/matcher.hpp"
#include "tests/bench/engine_mix.hpp"

#include <jemalloc/jemalloc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

namespace catenary::bench {
namespace {

using namespace engine;

double allocated() {
    ::mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0);  // what is free and kept for the thread counts as allocated
    std::uint64_t epoch = 1;                                         // figures are as of the newest
    ::mallctl("epoch", nullptr, nullptr, &epoch, sizeof epoch);
    std::size_t bytes = 0;
    std::size_t size = sizeof bytes;
    if (::mallctl("stats.allocated", &bytes, &size, nullptr, 0) != 0) throw std::runtime_error("jemalloc tells nothing");
    return static_cast<double>(bytes);
}

/// One signal as every matcher that wants it is given it.
struct Given {
    SignalHandle handle;
    std::uint32_t pattern;
    StageMask stages;
    std::vector<EntityId> links;
    std::vector<std::vector<std::string>> distinct;
};

std::size_t last_mandatory(const Pattern& pattern) {
    std::size_t last = pattern.stages.size() - 1;
    while (pattern.stages[last].optional) --last;
    return last;
}

}  // namespace

PartBytes bytes_of_parts(const Catalogue& patterns, std::size_t signals) {
    const StageIndex stages{patterns, 1};
    Dictionary dictionary;
    HeldSignals held{dictionary.definitions};
    const auto links_of = [&](const SignalView& signal) {
        std::vector<LinkEntity> links;
        for (const EntityView& entity : signal.entities) {
            const Symbol kind = dictionary.strings.intern(entity.kind);
            links.push_back({dictionary.entities.intern(kind, entity.value), kind});
        }
        std::sort(links.begin(), links.end());
        return links;
    };
    const auto each_wanted = [&](auto visit) {
        constexpr std::size_t batch = 10'000;
        EngineMix mix{patterns, {}, 11};
        for (std::size_t done = 0; done < signals; done += batch) {
            for (const SignalView& signal : mix.next(batch)) {
                if (stages.may_want(signal.name)) visit(signal);
            }
        }
    };
    // The dictionary first, so that it does not count as part of the window.
    std::size_t wanted = 0;
    each_wanted([&](const SignalView& signal) {
        dictionary.definitions.intern(signal, dictionary.strings);
        links_of(signal);
        ++wanted;
    });

    PartBytes result{};
    std::vector<SignalHandle> handles(2 * wanted);
    handles.clear();
    double before = allocated();
    std::size_t gone = 0;
    for (int time = 0; time < 2; ++time) {
        each_wanted([&](const SignalView& signal) {
            const DefinitionId definition = dictionary.definitions.intern(signal, dictionary.strings);
            handles.push_back(held.add(signal, false, definition, links_of(signal), {}));
            held.take(handles.back());
            // As the engine forgets: a sixteenth at a time.
            if (time == 0 || handles.size() - gone < wanted + wanted / 16) return;
            while (handles.size() - gone > wanted) held.give_back(handles[gone++]);
        });
    }
    while (handles.size() - gone > wanted) held.give_back(handles[gone++]);
    handles.erase(handles.begin(), handles.begin() + static_cast<std::ptrdiff_t>(gone));
    result.window_signal = (allocated() - before) / static_cast<double>(wanted);
    result.window_signal_accounted = static_cast<double>(held.bytes()) / static_cast<double>(wanted);

    std::vector<Given> given;
    std::set<std::pair<std::uint32_t, EntityId>> attempts;
    std::size_t next = 0;
    std::size_t entries = 0;
    each_wanted([&](const SignalView& signal) {
        const SignalHandle handle = handles[next++];
        const DefinitionId definition = dictionary.definitions.intern(signal, dictionary.strings);
        for (const DefinitionMatch& candidate : stages.candidates(definition, signal, dictionary.definitions)) {
            Given one{handle, candidate.deployment, stages.satisfied(candidate, signal), {}, {}};
            const Pattern& pattern = *patterns[candidate.deployment];
            // Nothing completes: what is measured are attempts, not findings.
            if (pattern.stages.size() > 1) one.stages = static_cast<StageMask>(one.stages & ~(1U << last_mandatory(pattern)));
            if (one.stages == 0) continue;
            for (const LinkEntity& link : links_of(signal)) {
                const std::string& kind = dictionary.strings[link.kind];
                if (std::find(pattern.link_kinds.begin(), pattern.link_kinds.end(), kind) != pattern.link_kinds.end()) one.links.push_back(link.entity);
            }
            if (one.links.empty()) continue;
            for (const EntityId entity : one.links) attempts.emplace(one.pattern, entity);
            entries += one.links.size();
            for (std::size_t stage = 0; stage < pattern.stages.size(); ++stage) {
                const auto& repeat = pattern.stages[stage].repeat;
                const bool is_counted = (one.stages >> stage & 1U) != 0 && repeat && repeat->distinct;
                one.distinct.push_back(is_counted ? field_values(*repeat->distinct, signal) : std::vector<std::string>{});
            }
            given.push_back(std::move(one));
        }
    });

    before = allocated();
    std::vector<PatternMatcher> matchers;
    for (const auto& pattern : patterns) {
        std::vector<Symbol> kinds;
        for (const std::string& kind : pattern->link_kinds) kinds.push_back(dictionary.strings.intern(kind));
        matchers.emplace_back(pattern, "1/" + pattern->id + "/1", Timestamp::min(), held.window(), std::move(kinds));
    }
    for (const Given& one : given) {
        matchers[one.pattern].add(one.handle, one.stages, one.links, one.distinct);
        matchers[one.pattern].take_deltas();
    }
    result.attempt = (allocated() - before) / static_cast<double>(attempts.size());
    for (const PatternMatcher& matcher : matchers) result.attempt_accounted += static_cast<double>(matcher.bytes()) / static_cast<double>(attempts.size());
    result.signals_an_attempt = static_cast<double>(entries) / static_cast<double>(attempts.size());
    return result;
}

}  // namespace catenary::bench
