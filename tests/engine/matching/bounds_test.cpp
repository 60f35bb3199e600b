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

namespace {

/// A burst of different addresses on one account; `signals` of them in one window of the stage.
double distinct_work(int signals, int values, int at_least) {
    Pattern pattern;
    pattern.id = "p";
    pattern.link = LinkMode::same;
    pattern.link_kinds = {"account"};
    pattern.within = std::chrono::hours{24};
    pattern.stages.push_back({"burst", {}, false, {}, Repeat{at_least, std::chrono::hours{24}, "account", Field::parse("entities.ip").value()}});
    SignalWindow window;
    PatternMatcher matcher{std::make_shared<const Pattern>(pattern), "1/p/1", Timestamp::min(), window, {Symbol{0}}};
    const std::array links{LinkEntity{EntityId{1}, Symbol{0}}};
    const std::array entities{EntityId{1}};
    for (int number = 0; number < signals; ++number) {
        const std::string id = std::to_string(number);
        SignalView signal;
        signal.source = "edr";
        signal.id = id;
        signal.time = Timestamp{} + Duration{std::chrono::hours{20}} / signals * number;
        signal.count = 1;
        const auto handle = window.add(signal, false, Origin{0}, Symbol{0}, Symbol{0}, Symbol{0}, links);
        const std::vector<std::vector<std::string>> distinct{{std::to_string(number % values)}};
        matcher.add(handle, 1, entities, distinct);
        matcher.take_deltas();
    }
    return static_cast<double>(matcher.work()) / signals;
}

}  // namespace

TEST_CASE("a stage that counts different values is the same work with a hundred signals in its window and with a hundred thousand") {
    SUBCASE("too few different ones") { CHECK(distinct_work(100'000, 10, 20) <= 1.2 * distinct_work(100, 10, 20)); }
    SUBCASE("just enough, over and over") { CHECK(distinct_work(100'000, 20, 20) <= 1.2 * distinct_work(100, 20, 20)); }
    SUBCASE("each another one") { CHECK(distinct_work(100'000, 100'000, 50) <= 1.2 * distinct_work(100, 100'000, 50)); }
}

namespace {

/// A sequence with something absent in between, of many accounts in turn; what must be absent comes all the time, to accounts that do nothing.
double absence_work(int signals) {
    Pattern pattern;
    pattern.id = "p";
    pattern.link = LinkMode::same;
    pattern.link_kinds = {"account"};
    pattern.within = std::chrono::hours{1};
    pattern.stages.push_back({"first", {}, false, {}, {}});
    pattern.stages.push_back({"second", {}, false, {}, {}});
    pattern.absent.push_back({{}, Absence::Where::between, 0, 1, {}});
    SignalWindow window;
    PatternMatcher matcher{std::make_shared<const Pattern>(pattern), "1/p/1", Timestamp::min(), window, {Symbol{0}}};
    const std::vector<std::vector<std::string>> no_values(2);
    for (int number = 0; number < signals; ++number) {
        const std::string id = std::to_string(number);
        const bool unwanted = number % 2 == 0;
        const EntityId account{unwanted ? 0U : static_cast<std::uint32_t>(1 + number / 4)};
        const std::array links{LinkEntity{account, Symbol{0}}};
        const std::array entities{account};
        SignalView signal;
        signal.source = "edr";
        signal.id = id;
        signal.time = Timestamp{} + std::chrono::seconds{number};
        signal.count = 1;
        const auto handle = window.add(signal, false, Origin{0}, Symbol{0}, Symbol{0}, Symbol{0}, links);
        const auto stages = static_cast<StageMask>(unwanted ? 1U << first_absence : number % 4 == 1 ? 1U : 2U);
        matcher.move_watermark(signal.time - std::chrono::minutes{10});
        matcher.add(handle, stages, entities, no_values, entities);
        matcher.take_deltas();
    }
    return static_cast<double>(matcher.work()) / signals;
}

}  // namespace

TEST_CASE("looking for what must be absent is the same work however much of it there is") {
    CHECK(absence_work(100'000) <= 1.2 * absence_work(10'000));
    CHECK(absence_work(10'000) < 50);
}
