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
constexpr std::size_t commit = 5'000;      // signals between two writes of effects
constexpr std::size_t measured = 220'000;  // a little more than from one forgetting to the next
constexpr int rounds = 5;

/// What a lane that is fed as a lane worker does it cost and brought about over some signals.
struct Stretch {
    std::size_t seen = 0;      ///< before
    double nanoseconds = 0;    ///< of the processor, a signal
    double evidence = 0;       ///< lines written, a thousand signals
    double incidents = 0;      ///< records written, a thousand signals
    double listed = 0;         ///< entities on such a record, on average
    std::int64_t largest = 0;  ///< signals of the largest of them
    TenantStatus after;
};

class FedLane {
public:
    FedLane(const Catalogue& patterns, const EngineMix::Site& site, std::uint64_t seed) : mix_{patterns, site, seed}, lane_{patterns} {}

    Stretch feed(std::size_t count) {
        Stretch stretch;
        stretch.seen = static_cast<std::size_t>(position_);
        double spent = 0;
        std::size_t evidence = 0;
        std::size_t incidents = 0;
        std::size_t entities = 0;
        for (std::size_t done = 0; done < count; done += commit) {
            const auto signals = mix_.next(std::min(commit, count - done));
            const double begin = catenary::bench::thread_nanoseconds();
            for (const SignalView& signal : signals) lane_.apply(Position{++position_}, tenant, signal.time, signal);
            const Effects effects = lane_.take_effects();
            spent += catenary::bench::thread_nanoseconds() - begin;
            for (const TenantEffects& tenant_effects : effects) {
                evidence += tenant_effects.evidence.size();
                incidents += tenant_effects.incidents.size();
                for (const IncidentRecord& incident : tenant_effects.incidents) {
                    entities += incident.entities.size();
                    stretch.largest = std::max(stretch.largest, incident.signal_count);
                }
            }
        }
        const auto signals = static_cast<double>(count);
        stretch.nanoseconds = spent / signals;
        stretch.evidence = 1e3 * static_cast<double>(evidence) / signals;
        stretch.incidents = 1e3 * static_cast<double>(incidents) / signals;
        if (incidents > 0) stretch.listed = static_cast<double>(entities) / static_cast<double>(incidents);
        if (position_ > 0) stretch.after = lane_.statuses().front();
        return stretch;
    }
    /// What looking for names and entities that nothing refers to takes now, for each held signal.
    double nanoseconds_to_forget() {
        const double begin = catenary::bench::thread_nanoseconds();
        lane_.forget_unnamed();
        return (catenary::bench::thread_nanoseconds() - begin) / static_cast<double>(lane_.statuses().front().window_signals);
    }
    /// Until so many were seen.
    void feed_until(std::size_t seen) {
        if (seen > static_cast<std::size_t>(position_)) feed(seen - static_cast<std::size_t>(position_));
    }

private:
    EngineMix mix_;
    Lane lane_;
    std::int64_t position_ = 0;
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

constexpr std::string_view columns = "{:<28} {:>9} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7}\n";

void print_heading() {
    fmt::print("\n{}", fmt::format(columns, "", "seen", "ns", "in window", "evidence", "incidents", "entities", "largest", "MB"));
    fmt::print(columns, "", "", "/signal", "", "/1000", "/1000", "listed", "incident", "held");
}

void print(std::string_view name, const Stretch& one) {
    const auto rounded = [](double figure) { return fmt::format("{:.1f}", figure); };
    fmt::print(columns, name, one.seen, rounded(one.nanoseconds), one.after.window_signals, rounded(one.evidence), rounded(one.incidents), rounded(one.listed),
               one.largest, rounded(static_cast<double>(one.after.state_bytes) / 1e6));
    std::fflush(stdout);
}

double median_cost(const std::vector<Stretch>& stretches) {
    std::vector<double> costs;
    for (const Stretch& one : stretches) costs.push_back(one.nanoseconds);
    return median(std::move(costs));
}

/// A lane at three ages: each some stretches, one after the other. The first is a lane made anew for each of them, after `young` signals.
struct Ages {
    std::vector<Stretch> young;
    std::vector<Stretch> full;  ///< from where the window is full
    std::vector<Stretch> old;
};

Ages grow(std::string_view name, const Catalogue& patterns, const EngineMix::Site& site, std::size_t young, std::size_t full, std::size_t old) {
    Ages ages;
    FedLane lane{patterns, site, 1};
    lane.feed_until(full);
    for (int round = 0; round < rounds; ++round) ages.full.push_back(lane.feed(measured));
    lane.feed_until(old);
    for (int round = 0; round < rounds; ++round) {
        FedLane other{patterns, site, 100 + static_cast<std::uint64_t>(round)};
        other.feed_until(young);
        ages.young.push_back(other.feed(measured));
        ages.old.push_back(lane.feed(measured));
    }
    print(fmt::format("{}, young", name), ages.young.front());
    print(fmt::format("{}, window full", name), ages.full.front());
    print(fmt::format("{}, old", name), ages.old.front());
    return ages;
}

}  // namespace

/// usage: engine_budgets [SIGNALS_SEEN]
int main(int argc, char** argv) {
    const std::size_t seen = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
    const Catalogue patterns = catenary::bench::fifty_patterns();
    constexpr std::size_t young = 100'000;
    // What a busy site's window holds, and what of it is found, grows for its first 700,000 seconds: three days of the longest pattern, a day beside it, and
    // as long again until findings are forgotten.
    const std::size_t full = std::min<std::size_t>(seen / 2, 5'000'000);

    print_heading();
    const Ages busy = grow("busy site", patterns, {}, young, full, seen);
    const Ages quiet = grow("no detections", patterns, {.detections = 0}, young, full, seen);
    // A signal every half minute: 100,000 of them are 35 days, after which as much is held, found and forgotten as ever. All that grows is what was seen.
    const Ages small = grow("small site", patterns, {.detections = 0.3, .entities = 10, .gap = std::chrono::seconds{30}}, young, full, seen);
    fmt::print("\n");
    say(fmt::format("signals a second and core, 10 % wanted, {} seen", seen), 1e9 / median_cost(busy.old), "1/s", 1e6, true);
    say(fmt::format("cost a signal, {} seen against window full", seen), median_cost(busy.old) / median_cost(busy.full), "times", 1.2, false);
    say(fmt::format("small site: cost a signal, {} seen against {}", seen, young), median_cost(small.old) / median_cost(small.young), "times", 1.2, false);
    inform(fmt::format("  busy site against {} seen, when it holds nearly nothing", young), median_cost(busy.old) / median_cost(busy.young), "times");
    inform("  the same without detections", median_cost(quiet.old) / median_cost(quiet.young), "times");

    // Twice as long in the window, since what ships waits for up to seven days.
    const Catalogue shipped = catenary::bench::full_catalogue();
    FedLane with_catalogue{shipped, {}, 1};
    with_catalogue.feed_until(full);
    std::vector<Stretch> catalogue_live;
    for (int round = 0; round < rounds; ++round) catalogue_live.push_back(with_catalogue.feed(measured));
    print("full catalogue", catalogue_live.front());
    say(fmt::format("signals a second and core, all {} that ship, {} seen", shipped.size(), full), 1e9 / median_cost(catalogue_live), "1/s", 1e6, true);
    inform("  to look for what nothing names, a held signal", with_catalogue.nanoseconds_to_forget(), "ns");
    inform(fmt::format("  cost a signal against fifty patterns, {} seen", full), median_cost(catalogue_live) / median_cost(busy.full), "times");

    for (const double wanted : {0.0, 0.5}) {
        FedLane lane{patterns, {.wanted = wanted}, 7};
        lane.feed_until(300'000);
        inform(fmt::format("signals a second and core, {:.0f} % wanted, 300000 seen", wanted * 100), 1e9 / lane.feed(measured).nanoseconds, "1/s");
    }

    const auto parts = catenary::bench::bytes_of_parts(patterns, 1'000'000);
    say("bytes a windowed signal, by malloc", parts.window_signal, "bytes", 100, false);
    inform("  by its own account", parts.window_signal_accounted, "bytes");
    say("bytes a live attempt, by malloc", parts.attempt, "bytes", 200, false);
    inform("  by its own account", parts.attempt_accounted, "bytes");
    inform("  signals an attempt", parts.signals_an_attempt, "");
    return all_met ? EXIT_SUCCESS : EXIT_FAILURE;
}
