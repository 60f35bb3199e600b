#include "api/documents/yaml.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <ctime>
#include <string>

using namespace catenary;
using api::documents::read_yaml;
using nlohmann::json;

namespace {

json good(std::string_view text) {
    CAPTURE(text);
    engine::Faults faults;
    auto value = read_yaml(text, {}, faults);
    for (const auto& fault : faults) FAIL_CHECK(fault.pointer << ": " << fault.detail);
    return value;
}

}  // namespace

TEST_CASE("plain scalars read as in JSON, everything else is text") {
    const auto value = good(R"(
nothing: null
tilde: ~
empty:
yes_word: yes
truth: true
whole: 12
negative: -3
fraction: 0.5
exponent: 1e3
quoted: "12"
single: 'true'
leading_zero: 007
hexadecimal: 0x1f
date: 2026-03-05
span: 24h
tagged: !!str 5
folded: >-
  one
  two
flow: {a: [1, "b"], c: {d: null}}
)");
    const auto expected = json::parse(R"({"nothing": null, "tilde": null, "empty": null, "yes_word": "yes", "truth": true, "whole": 12, "negative": -3,
        "fraction": 0.5, "exponent": 1000.0, "quoted": "12", "single": "true", "leading_zero": "007", "hexadecimal": "0x1f", "date": "2026-03-05",
        "span": "24h", "tagged": "5", "folded": "one two", "flow": {"a": [1, "b"], "c": {"d": null}}})");
    CHECK(value == expected);
}

TEST_CASE("YAML that could surprise or grow is refused, and where it is") {
    struct Case {
        std::string name;
        std::string text;
        std::string pointer;
        engine::FaultCode code;
    };
    using engine::FaultCode;
    const Case cases[] = {
        {"anchor", "a: &x 1\nb: 2", "/a", FaultCode::unsupported},
        {"anchored object", "a: {b: &x {c: 1}}", "/a/b", FaultCode::unsupported},
        {"alias bomb", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "/a", FaultCode::unsupported},
        {"duplicate key", "a: 1\nb: {c: 1, c: 2}", "/b/c", FaultCode::conflict},
        {"other tag", "a: !!binary aGk=", "/a", FaultCode::unsupported},
        {"tagged object", "a: !thing {b: 1}", "/a", FaultCode::unsupported},
        {"object as a key", "? {a: 1}\n: 2", "", FaultCode::malformed},
        {"list as a key", "? [a]\n: 2", "", FaultCode::malformed},
        {"two documents", "a: 1\n---\nb: 2", "", FaultCode::malformed},
        {"empty", "", "", FaultCode::malformed},
        {"unbalanced", "a: [1, 2", "", FaultCode::malformed},
        {"bad indentation", "a: 1\n  b: 2", "", FaultCode::malformed},
        {"NUL", std::string{"a: \"x\0y\"", 8}, "", FaultCode::malformed},
        {"escaped NUL", "a: \"\\0\"", "/a", FaultCode::malformed},
        {"invalid UTF-8", "a: \xc3\x28", "", FaultCode::malformed},
        {"inexact integer", "a: [9007199254740993]", "/a/0", FaultCode::out_of_range},
        {"too deep", std::string(17, '[') + std::string(17, ']'), "/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0", FaultCode::too_large},
        {"long key", std::string(300, 'k') + ": 1", "", FaultCode::too_large},
        {"too large", std::string(256 * 1024 + 1, 'a'), "", FaultCode::too_large},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        engine::Faults faults;
        CHECK(read_yaml(c.text, {}, faults).is_null());
        REQUIRE(faults.size() == 1);
        CHECK(faults[0].pointer == c.pointer);
        CHECK(std::string{engine::to_string(faults[0].code)} == std::string{engine::to_string(c.code)});
    }
}

TEST_CASE("a repeated key loses neither its place nor what follows it") {
    engine::Faults faults;
    read_yaml("a: {b: 1}\na: {b: {c: [1, 2]}}\nd: 1\nd: 2", {}, faults);
    REQUIRE(faults.size() == 2);
    CHECK(faults[0].pointer == "/a");
    CHECK(faults[1].pointer == "/d");
}

TEST_CASE("hostile YAML of the largest size is refused quickly") {
    const std::size_t size = 256 * 1024;
    std::string aliases = "a: &a x\n";
    while (aliases.size() < size - 8) aliases += "- *a\n";
    std::string values = "[";
    while (values.size() < size - 8) values += "0,";
    std::string keys;
    for (int i = 0; keys.size() < size - 16; ++i) keys += "k" + std::to_string(i) + ": 1\n";
    std::string questions;
    while (questions.size() < size - 8) questions += "? ";
    std::string dashes;
    while (dashes.size() < size - 8) dashes += "- ";
    std::string braces(size, '{');
    std::string quotes = "a: \"" + std::string(size - 8, '\\');
    for (const auto& text : {aliases, values, keys, questions, dashes, braces, quotes}) {
        CAPTURE(text.substr(0, 32));
        engine::Faults faults;
        const auto begin = std::clock();  // processor time: other programs of the machine do not count
        CHECK(read_yaml(text, {}, faults).is_null());
        CHECK_FALSE(faults.empty());
        CHECK(faults.size() <= 100);
        CHECK(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 10);
    }
}
