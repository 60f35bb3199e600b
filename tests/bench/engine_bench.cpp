#include "api/catalogue/shipped_patterns.hpp"
#include "engine/lane/lane.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <random>
#include <vector>

namespace {

using namespace catenary::engine;

constexpr TenantId tenant{1};
constexpr Timestamp start = std::chrono::sys_days{std::chrono::year{2026} / 3 / 2};

/// Names that the shipped patterns ask for, and their like.
constexpr std::array wanted{
    "impossible_travel",  "suspicious_inbox_rule", "mass_download",       "failed_sign_in",    "successful_sign_in", "suspicious_office_child_process",
    "credential_dumping", "ransomware_note",       "storage_key_listing", "mass_blob_deletion"};

/// One signal in ten is wanted by some stage; accounts and hosts are spread over `entities`, one signal a `gap` of event time.
std::vector<Signal> stream(std::size_t count, std::uint32_t entities, Duration gap, std::size_t from = 0) {
    std::mt19937 random{static_cast<std::uint32_t>(20260302 + from)};
    std::vector<Signal> signals;
    signals.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        Signal signal;
        signal.source = "bench";
        signal.id = fmt::format("{:012}", from + i);
        signal.time = start + gap * static_cast<std::int64_t>(from + i);
        signal.domain = "endpoint";
        signal.name = random() % 10 == 0 ? std::string{wanted[random() % wanted.size()]} : fmt::format("routine_{}", random() % 40);
        signal.tactics = {"TA0002"};
        signal.severity = Severity::low;
        signal.confidence = 0.2;
        signal.entities = {{"account", fmt::format("user{}@corp.example", random() % entities), "actor", true},
                           {"host", fmt::format("ws-{}", random() % entities), "device", true},
                           {"ip", fmt::format("10.{}.{}.{}", random() % 4, random() % 250, random() % 250), "source", true}};
        signals.push_back(std::move(signal));
    }
    return signals;
}

Catalogue shipped() {
    Catalogue catalogue;
    for (const auto& pattern : catenary::api::catalogue::shipped_patterns()) catalogue.push_back(pattern.pattern);
    return catalogue;
}

/// The whole lane: interning, late mark, stage look-up, matching, findings, incidents, effects taken every 5,000 entries as the worker does.
void lane_applies_signals(benchmark::State& state) {
    const auto warm_up = static_cast<std::size_t>(state.range(0));
    constexpr std::size_t measured = 200'000;
    constexpr Duration gap = std::chrono::milliseconds{100};
    Lane lane{shipped()};
    std::int64_t position = 0;
    const auto feed = [&](const Signal& signal) {
        const BorrowedSignal borrowed{signal};
        lane.apply(Position{++position}, tenant, signal.time, borrowed.view());
        if (position % 5'000 == 0) benchmark::DoNotOptimize(lane.take_effects());
    };
    std::size_t from = 0;
    for (; from < warm_up; from += measured) {
        for (const auto& signal : stream(std::min(measured, warm_up - from), 50'000, gap, from)) feed(signal);
    }
    for (auto _ : state) {
        state.PauseTiming();
        const auto signals = stream(measured, 50'000, gap, from);
        from += measured;
        state.ResumeTiming();
        for (const auto& signal : signals) feed(signal);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * measured));
}
BENCHMARK(lane_applies_signals)->Arg(100'000)->Arg(2'000'000)->Unit(benchmark::kMillisecond)->Iterations(5);

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
