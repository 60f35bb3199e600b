#include "api/catalogue/examples.hpp"
#include "api/documents/document.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

using namespace catenary;
using api::catalogue::ExampleOutcome;
using api::catalogue::run_examples;

namespace {

/// A pattern of a failed and a successful sign-in by one account within an hour, with one example.
api::documents::PatternDocument pattern_with(const std::string& list, const std::vector<std::string>& signals, const std::string& repeat = "") {
    std::string text = "id: p\ntitle: P\nwithin: 1h\nlink: {same: [account, ip]}\nstages:\n  - {id: guessing, match: {name: failed}";
    text += repeat + "}\n  - {id: access, match: {name: signed_in, attributes.country: RO}}\nexamples:\n  " + list + ":\n    -\n";
    for (const auto& signal : signals) text += "      - " + signal + "\n";
    const auto document = api::documents::read_document(text, api::documents::Syntax::yaml);
    REQUIRE(document.value.has_value());
    auto pattern = api::documents::pattern_from_json(*document);
    for (const auto& fault : pattern.faults) FAIL(fault.pointer << " " << fault.detail);
    return std::move(*pattern);
}

std::string at(const std::string& time, const std::string& name, const std::string& account, const std::string& more = "") {
    return fmt::format("{{source: idp, id: {1}-{0}, time: \"2026-03-05T{0}Z\", domain: identity, name: {1}, entities: [{{kind: account, value: {2}}}]{3}}}",
                       time, name, account, more);
}
const std::string romania = ", attributes: {country: RO}";

ExampleOutcome only(const api::documents::PatternDocument& document) {
    const auto outcomes = run_examples(document);
    REQUIRE(outcomes.size() == 1);
    return outcomes.front();
}

}  // namespace

TEST_CASE("a story that matches passes among those that must, and fails among those that must not with what was found") {
    const std::vector<std::string> story{at("10:00:00", "failed", "alice"), at("10:30:00", "signed_in", "alice", romania)};
    CHECK(only(pattern_with("must_match", story)).passed);
    const auto other = only(pattern_with("must_not_match", story));
    CHECK_FALSE(other.passed);
    CHECK_FALSE(other.must_match);
    CHECK(other.detail == "found all the same: guessing at idp/failed-10:00:00 access at idp/signed_in-10:30:00");
}

TEST_CASE("a story that does not match says which stage failed, and why") {
    struct Case {
        const char* name;
        std::vector<std::string> signals;
        const char* repeat;
        const char* says;
    };
    const std::string five = ", repeat: {at_least: 5, within: 10m, by: account}";
    const std::vector<Case> cases{
        {"no such signal", {at("10:30:00", "signed_in", "alice", romania)}, "", "stage \"guessing\" is missing: no signal satisfies it (name = failed)"},
        {"an attribute differs",
         {at("10:00:00", "failed", "alice"), at("10:30:00", "signed_in", "alice")},
         "",
         "stage \"access\" is missing: no signal satisfies it"},
        {"too late",
         {at("10:00:00", "failed", "alice"), at("11:00:01", "signed_in", "alice", romania)},
         "",
         "stage \"access\" came too late by 1 s: first to last activity may take 1 h"},
        {"another account",
         {at("10:00:00", "failed", "alice"), at("10:30:00", "signed_in", "bob", romania)},
         "",
         "stage \"access\": a signal satisfies it, but it has no account or ip in common"},
        {"wrong order",
         {at("10:40:00", "failed", "alice"), at("10:30:00", "signed_in", "alice", romania)},
         "",
         "stage \"access\" came 10 min before the end of the stage that it has to follow"},
        {"too few",
         {at("10:00:00", "failed", "alice", ", count: 4"), at("10:30:00", "signed_in", "alice", romania)},
         five.c_str(),
         "stage \"guessing\": 4 of 5 within 10 min"},
        {"too spread out",
         {at("10:00:00", "failed", "alice", ", count: 4"), at("10:10:01", "failed", "alice", ", count: 4"), at("10:30:00", "signed_in", "alice", romania)},
         five.c_str(),
         "stage \"guessing\": 4 of 5 within 10 min"},
        {"late and another account",
         {at("10:00:00", "failed", "alice"), at("12:30:00", "signed_in", "bob", romania)},
         "",
         "stage \"access\": a signal satisfies it, but it has no account or ip in common"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        const auto outcome = only(pattern_with("must_match", c.signals, c.repeat));
        CHECK_FALSE(outcome.passed);
        CHECK_MESSAGE(outcome.detail.find(c.says) != std::string::npos, outcome.detail);
        CHECK(only(pattern_with("must_not_match", c.signals, c.repeat)).passed);
    }
}

TEST_CASE("a gap that is too long, an instant that a strict pattern does not take, domains that are too few and what must be absent are named") {
    struct Case {
        const char* pattern;
        const char* time;
        const char* says;
    };
    for (const auto& c : {Case{"", "10:20:01", "stage \"b\" came too late by 1 s: at most 20 min may pass since the stage before it"},
                          Case{"strict: true\n", "10:00:00", "stage \"b\" came at the same instant as the stage before it, and the pattern is strict"},
                          Case{"require: {domains: 2}\n", "10:10:00", "every stage was reached, but from 1 of the 2 domains that are required"},
                          Case{"absent: [{match: {name: x}, before: b, within: 30m}]\n", "10:10:00",
                               "every stage was reached, but this came: name = x within 30 min before b (idp/x-10:00:00)"}}) {
        CAPTURE(c.says);
        const auto text = fmt::format(
            "id: p\ntitle: P\nwithin: 1h\nlink: {{same: [account]}}\n{}stages:\n  - {{id: a, match: {{name: x}}}}\n  - {{id: b, match: {{name: y}}, within: "
            "20m}}\n"
            "examples:\n  must_match:\n    - - {}\n      - {}\n",
            c.pattern, at("10:00:00", "x", "alice"), at(c.time, "y", "alice"));
        const auto document = api::documents::read_document(text, api::documents::Syntax::yaml);
        REQUIRE(document.value.has_value());
        const auto pattern = api::documents::pattern_from_json(*document);
        for (const auto& fault : pattern.faults) FAIL(fault.pointer << " " << fault.detail);
        CHECK(only(*pattern).detail == c.says);
    }
}

TEST_CASE("a signal that ingest would refuse is a fault at its place, and its story has not passed") {
    const auto outcome = only(pattern_with("must_not_match", {at("10:00:00", "failed", "alice"), at("10:00:99", "failed", "alice", ", cnt: 2")}));
    CHECK_FALSE(outcome.passed);
    REQUIRE(outcome.faults.size() == 2);
    CHECK(outcome.faults[0].pointer == "/examples/must_not_match/0/1/cnt");
    CHECK(outcome.faults[1].pointer == "/examples/must_not_match/0/1/time");
}

TEST_CASE("examples of a pattern that is switched off are found as well") {
    auto document = pattern_with("must_match", {at("10:00:00", "failed", "alice"), at("10:30:00", "signed_in", "alice", romania)});
    document.pattern.mode = engine::Mode::off;
    CHECK(only(document).passed);
}
