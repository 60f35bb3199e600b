#include "engine/matching/pattern.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <iterator>
#include <string>
#include <vector>

using namespace catenary::engine;
using namespace std::chrono_literals;

namespace {

Stage stage(std::string id) { return Stage{std::move(id), Predicate{}, false, std::nullopt, std::nullopt}; }

Pattern sound() {
    Pattern pattern;
    pattern.id = "p";
    pattern.within = 24h;
    pattern.link = LinkMode::same;
    pattern.link_kinds = {"account", "host"};
    pattern.stages = {stage("a"), stage("b"), stage("c")};
    pattern.stages[1].repeat = Repeat{50, 30min, "account", std::nullopt};
    pattern.stages[2].optional = true;
    return pattern;
}

}  // namespace

TEST_CASE("what the language allows is no fault") {
    const std::function<void(Pattern&)> sound_variations[] = {
        [](Pattern&) {},
        [](Pattern& p) { p.stages[1].within = 48h; },
        [](Pattern& p) { p.stages[1].repeat->within = 48h; },
        [](Pattern& p) { p.stages[0].within = 1h; },
        [](Pattern& p) { p.stages.resize(1); },
        [](Pattern& p) {
            p.stages.resize(1);
            p.link = LinkMode::none;
            p.link_kinds.clear();
        },
        [](Pattern& p) { p.within = 1s; },
        [](Pattern& p) { p.within = p.max_span; },
        [](Pattern& p) { p.max_span = 24h; },
        [](Pattern& p) { p.stages[1].repeat->at_least = 1; },
        [](Pattern& p) { p.link = LinkMode::chain; },
        [](Pattern& p) {
            p.absent = {{{}, Absence::Where::between, 0, 2, {}}, {{}, Absence::Where::after, 2, 0, 14 * 24h}, {{}, Absence::Where::before, 0, 0, 1s}};
        },
        [](Pattern& p) {
            p.order = Order::any;
            p.absent = {{{}, Absence::Where::between, 2, 0, {}}};
            p.overlap = true;
        },
        [](Pattern& p) {
            p.link = LinkMode::chain;
            p.absent = {{{}, Absence::Where::between, 1, 2, {}}};
        },
        [](Pattern& p) {
            for (const char* id : {"d", "e", "f", "g", "h", "i", "j"}) p.stages.push_back(stage(id));
        },
    };
    for (std::size_t index = 0; index < std::size(sound_variations); ++index) {
        CAPTURE(index);
        auto pattern = sound();
        sound_variations[index](pattern);
        for (const auto& fault : Pattern::check(pattern)) FAIL_CHECK(std::string{fault.pointer + ": " + fault.detail});
    }
}

TEST_CASE("each breach is a fault where it was written") {
    struct Breach {
        std::string pointer;
        FaultCode code;
        std::function<void(Pattern&)> make;
    };
    const Breach breaches[] = {
        {"/stages", FaultCode::missing, [](Pattern& p) { p.stages.clear(); }},
        {"/stages", FaultCode::too_large,
         [](Pattern& p) {
             for (int i = 0; i < 8; ++i) p.stages.push_back(stage("more" + std::to_string(i)));
         }},
        {"/stages", FaultCode::conflict,
         [](Pattern& p) {
             for (auto& s : p.stages) s.optional = true;
         }},
        {"/stages/2/id", FaultCode::conflict, [](Pattern& p) { p.stages[2].id = "a"; }},
        {"/stages/1/id", FaultCode::missing, [](Pattern& p) { p.stages[1].id = ""; }},
        {"/stages/1/within", FaultCode::out_of_range, [](Pattern& p) { p.stages[1].within = Duration{0}; }},
        {"/stages/1/repeat/at_least", FaultCode::out_of_range, [](Pattern& p) { p.stages[1].repeat->at_least = 0; }},
        {"/stages/1/repeat/at_least", FaultCode::out_of_range, [](Pattern& p) { p.stages[1].repeat->at_least = 2'000'000'000; }},
        {"/stages/1/repeat/within", FaultCode::out_of_range, [](Pattern& p) { p.stages[1].repeat->within = Duration{0}; }},
        {"/stages/1/repeat/by", FaultCode::conflict, [](Pattern& p) { p.stages[1].repeat->by = "ip"; }},
        {"/within", FaultCode::out_of_range, [](Pattern& p) { p.within = 999ms; }},
        {"/within", FaultCode::out_of_range, [](Pattern& p) { p.within = p.max_span + 1us; }},
        {"/max_span", FaultCode::out_of_range, [](Pattern& p) { p.max_span = 31 * 24h; }},
        {"/link", FaultCode::missing,
         [](Pattern& p) {
             p.stages[1].repeat.reset();
             p.link = LinkMode::none;
             p.link_kinds.clear();
         }},
        {"/link", FaultCode::conflict,
         [](Pattern& p) {
             p.stages.resize(1);
             p.link = LinkMode::none;
         }},
        {"/link/same", FaultCode::missing,
         [](Pattern& p) {
             p.stages[1].repeat.reset();
             p.link_kinds.clear();
         }},
        {"/link/same/1", FaultCode::conflict, [](Pattern& p) { p.link_kinds[1] = "account"; }},
        {"/absent", FaultCode::too_large,
         [](Pattern& p) {
             p.absent.assign(6, {{}, Absence::Where::after, 0, 0, 1h});
         }},
        {"/absent/0/within", FaultCode::out_of_range,
         [](Pattern& p) {
             p.absent = {{{}, Absence::Where::after, 0, 0, 999ms}};
         }},
        {"/absent/1/within", FaultCode::out_of_range,
         [](Pattern& p) {
             p.absent = {{{}, Absence::Where::before, 0, 0, 1h}, {{}, Absence::Where::before, 0, 0, 14 * 24h + 1us}};
         }},
        {"/absent/0/between/1", FaultCode::conflict,
         [](Pattern& p) {
             p.absent = {{{}, Absence::Where::between, 1, 1, {}}};
         }},
        {"/absent/0/between/1", FaultCode::conflict,
         [](Pattern& p) {
             p.absent = {{{}, Absence::Where::between, 1, 0, {}}};
         }},
        {"/absent/0/between/1", FaultCode::conflict,
         [](Pattern& p) {
             p.link = LinkMode::chain;
             p.absent = {{{}, Absence::Where::between, 0, 2, {}}};
         }},
        {"/link/same/1", FaultCode::out_of_range, [](Pattern& p) { p.link_kinds[1] = ""; }},
    };
    for (const auto& [pointer, code, make] : breaches) {
        CAPTURE(pointer);
        auto pattern = sound();
        make(pattern);
        const auto faults = Pattern::check(pattern);
        REQUIRE(faults.size() == 1);
        CHECK(faults[0].pointer == pointer);
        CHECK(faults[0].code == code);
        CHECK_FALSE(faults[0].detail.empty());
    }
}

TEST_CASE("all breaches of a pattern are told at once") {
    auto pattern = sound();
    pattern.within = Duration{0};
    pattern.stages[0].id = "c";
    pattern.stages[1].repeat->by = "mailbox";
    CHECK(Pattern::check(pattern).size() == 3);
}
