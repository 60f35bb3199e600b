#include "tests/bench/engine_mix.hpp"
#include "tests/bench/engine_parts.hpp"
#include "tests/bench/thread_clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

// The engine's budgets, each with its figure: speed with fifty patterns, growth with what was seen, bytes held.

namespace {

using namespace catenary::engine;
using catenary::bench::EngineMix;

constexpr TenantId tenant{1};
constexpr std::size_t commit = 5'000;     // signals between two writes of effects
constexpr std::size_t measured = 220'000;  // a little more than from one forgetting to the next
constexpr int rounds = 5;

/// A lane that is fed as a lane worker does.
class FedLane {
public:
    FedLane(const Catalogue& patterns, double wanted, std::uint64_t seed) : mix_{patterns, wanted, seed}, lane_{patterns} {}

    /// Processor nanoseconds a signal, over the next `count`.
    double feed(std::size_t count) {
        double spent = 0;
        for (std::size_t done = 0; done < count; done += commit) {
            const auto signals = mix_.next(std::min(commit, count - done));
            const double begin = catenary::bench::thread_nanoseconds();
            for (const SignalView& signal : signals) lane_.apply(Position{++position_}, tenant, signal.time, signal);
            const Effects effects = lane_.take_effects();
            spent += catenary::bench::thread_nanoseconds() - begin;
            for (const TenantEffects& tenant_effects : effects) {
                evidence_ += tenant_effects.evidence.size();
                incidents_ += tenant_effects.incidents.size();
            }
        }
        return spent / static_cast<double>(count);
    }
    TenantStatus status() const { return lane_.statuses().front(); }
    /// Of what was fed, per thousand signals.
    double evidence() const { return 1e3 * static_cast<double>(evidence_) / static_cast<double>(position_); }
    double incidents() const { return 1e3 * static_cast<double>(incidents_) / static_cast<double>(position_); }

private:
    EngineMix mix_;
    Lane lane_;
    std::int64_t position_ = 0;
    std::size_t evidence_ = 0;
    std::size_t incidents_ = 0;
};

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

bool all_met = true;

void say(std::string_view name, double figure, std::string_view unit, double bar, bool at_least) {
    const bool met = at_least ? figure >= bar : figure <= bar;
    all_met = all_met && met;
    fmt::print("{:<58} {:>12.2f} {:<10} bar {} {:<10} {}\n", name, figure, unit, at_least ? ">=" : "<=", bar, met ? "ok" : "short");
    std::fflush(stdout);
}

void inform(std::string_view name, double figure, std::string_view unit) {
    fmt::print("{:<58} {:>12.2f} {}\n", name, figure, unit);
    std::fflush(stdout);
}

}  // namespace

/// usage: engine_budgets [SIGNALS_SEEN]
int main(int argc, char** argv) {
    const std::size_t seen = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
    const Catalogue patterns = catenary::bench::fifty_patterns();

    FedLane old{patterns, 0.1, 1};
    old.feed(seen / 2);
    const double half_way = old.feed(measured);
    old.feed(seen - std::min(seen, seen / 2 + measured));
    std::vector<double> costs;
    std::vector<double> young_costs;
    std::vector<double> ratios;
    for (int round = 0; round < rounds; ++round) {
        FedLane young{patterns, 0.1, 100 + static_cast<std::uint64_t>(round)};
        young.feed(100'000);
        young_costs.push_back(young.feed(100'000));
        costs.push_back(old.feed(measured));
        ratios.push_back(costs.back() / young_costs.back());
    }
    const TenantStatus status = old.status();
    say(fmt::format("signals a second and core, 10 % wanted, {} seen", seen), 1e9 / median(costs), "1/s", 1e6, true);
    say(fmt::format("cost a signal, {} seen against 100000 seen", seen), median(ratios), "times", 1.2, false);
    inform("  nanoseconds a signal", median(costs), "ns");
    inform("  nanoseconds a signal with 100000 seen", median(young_costs), "ns");
    inform(fmt::format("  nanoseconds a signal with {} seen, once", seen / 2), half_way, "ns");
    inform("  signals in the window", static_cast<double>(status.window_signals), "");
    inform("  lines of evidence written, a thousand signals", old.evidence(), "");
    inform("  incidents written, a thousand signals", old.incidents(), "");
    inform("  state by its own account", static_cast<double>(status.state_bytes) / 1e6, "MB");

    for (const double wanted : {0.0, 0.5}) {
        FedLane lane{patterns, wanted, 7};
        lane.feed(300'000);
        inform(fmt::format("signals a second and core, {:.0f} % wanted, 300000 seen", wanted * 100), 1e9 / lane.feed(measured), "1/s");
    }

    const auto parts = catenary::bench::bytes_of_parts(patterns, 1'000'000);
    say("bytes a windowed signal, by malloc", parts.window_signal, "bytes", 100, false);
    inform("  by its own account", parts.window_signal_accounted, "bytes");
    say("bytes a live attempt, by malloc", parts.attempt, "bytes", 200, false);
    inform("  by its own account", parts.attempt_accounted, "bytes");
    inform("  signals an attempt", parts.signals_an_attempt, "");
    return all_met ? EXIT_SUCCESS : EXIT_FAILURE;
}
