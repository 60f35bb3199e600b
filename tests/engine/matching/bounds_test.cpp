#include "engine/matching/matcher.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

using namespace catenary::engine;

// How much work a signal is, counted in steps and so the same on every machine: it must not grow with the number of signals that came before it.

namespace {

/// Two stages in turn, on one account, `density` signals in each `within` of six hours, for eight of them; findings span at most a day.
struct BusyAccount {
    SignalWindow window;
    PatternMatcher matcher;
    int density;
    int sent = 0;

    explicit BusyAccount(int signals_per_within)
        : matcher{std::make_shared<const Pattern>(pattern()), "1/p/1", Timestamp::min(), window, {Symbol{0}}}, density{signals_per_within} {}

    static Pattern pattern() {
        Pattern pattern;
        pattern.id = "p";
        pattern.link = LinkMode::same;
        pattern.link_kinds = {"account"};
        pattern.within = std::chrono::hours{6};
        pattern.max_span = std::chrono::hours{24};
        pattern.stages.push_back({"first", {}, false, {}, {}});
        pattern.stages.push_back({"second", {}, false, {}, {}});
        return pattern;
    }

    Timestamp time_of(int number) const { return Timestamp{} + Duration{std::chrono::hours{6}} / density * number; }

    void send(Timestamp time, bool late) {
        const std::string id = std::to_string(sent);
        SignalView signal;
        signal.source = "edr";
        signal.id = id;
        signal.time = time;
        signal.count = 1;
        const std::array links{LinkEntity{EntityId{1}, Symbol{0}}};
        const std::array entities{EntityId{1}};
        const std::vector<std::vector<std::string>> no_values(2);
        const auto handle = window.add(signal, late, Origin{0}, Symbol{0}, Symbol{0}, Symbol{0}, links);
        matcher.add(handle, static_cast<StageMask>(1U << (sent % 2)), entities, no_values);
        matcher.take_deltas();
        ++sent;
    }

    /// Steps a signal, with one late signal in the middle of the first finding where `with_late`.
    double work(bool with_late) {
        const int signals = 8 * density;
        for (int number = 0; number < signals; ++number) send(time_of(number), with_late && number == 2 * density);
        return static_cast<double>(matcher.work()) / signals;
    }
};

}  // namespace

TEST_CASE("a signal in time order is the same work whether a finding holds hundreds or thousands, before a cut and after it") {
    const double few = BusyAccount{100}.work(false);
    const double many = BusyAccount{1600}.work(false);
    CHECK(many < 1.2 * few);
    CHECK(many < 100);
}

TEST_CASE("a late signal does not make those after it more work") {
    const double few = BusyAccount{100}.work(true);
    const double many = BusyAccount{1600}.work(true);
    CHECK(many < 1.2 * few);
    CHECK(many < 400);
}
