#include "api/catalogue/shipped_patterns.hpp"
#include "engine/lane/lane.hpp"
#include "tests/bench/engine_mix.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <span>

namespace {

using namespace catenary::engine;

constexpr TenantId tenant{1};
constexpr Timestamp start = std::chrono::sys_days{std::chrono::year{2026} / 3 / 2};

Catalogue shipped() {
    Catalogue catalogue;
    for (const auto& pattern : catenary::api::catalogue::shipped_patterns()) catalogue.push_back(pattern.pattern);
    return catalogue;
}

/// The whole lane: interning, late mark, stage look-up, matching, findings, incidents, effects taken every 5,000 entries as the worker does. Argument: of a
/// hundred signals, how many some stage wants.
void lane_applies_signals(benchmark::State& state) {
    constexpr std::size_t commit = 5'000;
    const Catalogue patterns = catenary::bench::fifty_patterns();
    catenary::bench::EngineMix mix{patterns, {.wanted = static_cast<double>(state.range(0)) / 100}, 1};
    Lane lane{patterns};
    std::int64_t position = 0;
    const auto feed = [&](std::span<const SignalView> signals) {
        for (const SignalView& signal : signals) lane.apply(Position{++position}, tenant, signal.time, signal);
        benchmark::DoNotOptimize(lane.take_effects());
    };
    for (int warm_up = 0; warm_up < 60; ++warm_up) feed(mix.next(commit));
    for (auto _ : state) {
        state.PauseTiming();
        const auto signals = mix.next(commit);
        state.ResumeTiming();
        feed(signals);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * commit));
}
BENCHMARK(lane_applies_signals)->Arg(0)->Arg(10)->Arg(50)->Unit(benchmark::kMillisecond)->Iterations(100);

/// One account that everything happens to: what an attacker would send to make matching slow.
void one_hot_account(benchmark::State& state) {
    const auto seen = static_cast<std::size_t>(state.range(0));
    Lane lane{shipped()};
    std::int64_t position = 0;
    const auto feed = [&](std::size_t i) {
        Signal signal;
        signal.source = "bench";
        signal.id = fmt::format("{:012}", i);
        signal.time = start + std::chrono::milliseconds{10} * static_cast<std::int64_t>(i);
        signal.domain = "identity";
        signal.name = i % 2 == 0 ? "impossible_travel" : "suspicious_inbox_rule";
        signal.confidence = 0.2;
        signal.entities = {{"account", "victim@corp.example", "actor", true}};
        const BorrowedSignal borrowed{signal};
        lane.apply(Position{++position}, tenant, signal.time, borrowed.view());
        if (position % 5'000 == 0) benchmark::DoNotOptimize(lane.take_effects());
    };
    std::size_t i = 0;
    for (; i < seen; ++i) feed(i);
    for (auto _ : state) {
        for (std::size_t end = i + 10'000; i < end; ++i) feed(i);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * 10'000));
}
BENCHMARK(one_hot_account)->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMillisecond)->Iterations(5);

}  // namespace

BENCHMARK_MAIN();
