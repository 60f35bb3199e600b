#include "api/sigma/sigma_import.hpp"
#include "api/catalogue/examples.hpp"
#include "api/documents/pattern_document.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace catenary;
using api::sigma::ImportedRule;
using nlohmann::json;

namespace {

api::sigma::SigmaImport imported(const std::string& yaml) {
    engine::Faults faults;
    bool is_single = false;
    const auto rules = api::sigma::read_rules(yaml, true, faults, is_single);
    for (const auto& fault : faults) FAIL(fault.pointer << " " << fault.detail);
    return api::sigma::import_rules(rules, is_single);
}

ImportedRule only(const std::string& yaml) {
    auto import = imported(yaml);
    REQUIRE(import.rules.size() == 1);
    for (const auto& fault : import.rules[0].faults) FAIL_CHECK(fault.pointer << " " << fault.detail);
    return import.rules[0];
}

std::vector<std::string> lost(const ImportedRule& rule) {
    std::vector<std::string> pointers;
    for (const auto& loss : rule.not_carried_over) pointers.push_back(loss.pointer);
    return pointers;
}

json parsed(const std::string& text) { return json::parse(text); }

/// A correlation of which `members` is the inside.
std::string correlation(const std::string& members) { return "title: R\nname: r\ncorrelation:\n" + members; }

}  // namespace

TEST_CASE("an event count becomes a repeated stage, with the rule it counts as the name of signals") {
    const auto import = imported(R"(title: Failed logon on a Windows host
name: win_failed_logon
id: 6a1d2ad0-2f0d-4e0c-9a3a-3f7b1c0c9d11
status: stable
logsource:
    product: windows
    service: security
detection:
    selection:
        EventID: 4625
    filter:
        TargetUserName|endswith: '$'
    condition: selection and not filter
---
title: Password guessing against one account
id: 0d5f1c36-5f6e-4c1b-8f0a-7d0a5a3f4d22
description: Many failed logons of one account.
author: Blue Team
references: ['https://intranet.ne.example/runbooks/guessing']
date: 2026-01-15
status: test
level: high
tags: [attack.credential-access, attack.t1110.001, detection.threat-hunting]
falsepositives: [Forgotten devices]
correlation:
    type: event_count
    rules: win_failed_logon
    group-by: [TargetUserName]
    timespan: 10m
    condition: {gt: 19}
)");
    REQUIRE(import.rules.size() == 1);
    const auto& rule = import.rules[0];
    CHECK(rule.faults.empty());
    CHECK(rule.rule == "0d5f1c36-5f6e-4c1b-8f0a-7d0a5a3f4d22");
    CHECK(rule.document["id"] == rule.rule);
    CHECK(rule.document["severity"] == "high");
    CHECK(rule.document["tactics"] == json{"TA0006"});
    CHECK(rule.document["techniques"] == json{"T1110.001"});
    CHECK(rule.document["within"] == "10m");
    CHECK(rule.document["link"] == parsed(R"({"same":["account"]})"));
    CHECK(rule.document["stages"] ==
          parsed(R"([{"id":"counted","match":{"name":"win_failed_logon"},"repeat":{"at_least":20,"within":"10m","by":"account"}}])"));
    const auto description = rule.document["description"].get<std::string>();
    for (const auto* part : {"Many failed logons", "Forgotten devices", "runbooks/guessing", "Blue Team"}) CHECK(description.find(part) != std::string::npos);
    CHECK(lost(rule) == std::vector<std::string>{"/1/tags/2", "/1/date", "/1/status"});
    REQUIRE(import.signals.size() == 1);
    CHECK(import.signals[0].name == "win_failed_logon");
    CHECK(import.signals[0].defined);
}

TEST_CASE("a value count counts different entities where the field holds some, and values of an attribute else") {
    const auto of = [](const std::string& field) {
        return only(correlation("  type: value_count\n  rules: [failed_logon]\n  group-by: src_ip\n  timespan: 1h\n  condition: {field: " + field +
                                ", gte: 10}\n"))
            .document["stages"][0]["repeat"];
    };
    CHECK(of("TargetUserName") == parsed(R"({"at_least":10,"within":"1h","by":"ip","distinct":"entities.account"})"));
    CHECK(of("DestinationPort")["distinct"] == "attributes.DestinationPort");
    CHECK(of("attributes.port")["distinct"] == "attributes.port");
}

TEST_CASE("temporal rules become stages in any order or in sequence") {
    const std::string members = "  rules: [recon_commands, new_service]\n  group-by: [ComputerName]\n  timespan: 2w\n";
    const auto any = only(correlation("  type: temporal\n" + members));
    CHECK(any.document["order"] == "any");
    CHECK(any.document["within"] == "14d");
    CHECK(any.document["link"] == parsed(R"({"same":["host"]})"));
    CHECK(any.document["stages"] ==
          parsed(R"([{"id":"recon_commands","match":{"name":"recon_commands"}},{"id":"new_service","match":{"name":"new_service"}}])"));
    CHECK(any.not_carried_over.empty());
    CHECK(only(correlation("  type: temporal_ordered\n" + members)).document["order"] == "sequence");
    CHECK(only(correlation("  type: temporal_ordered\n  condition: {gte: 2}\n" + members)).document["order"] == "sequence");
}

TEST_CASE("a count within a sequence is a stage of it, and a rule of its own only where the sequence says so") {
    const std::string chained = R"(title: Guessing
name: guessing
correlation:
  type: event_count
  rules: [failed_logon]
  group-by: [user]
  timespan: 10m
  condition: {gte: 10}
---
title: Guessing that worked
name: guessed
correlation:
  type: temporal_ordered
  rules: [guessing, successful_logon]
  aliases:
    user: {failed_logon: TargetUserName, successful_logon: SubjectUserName}
  group-by: [user]
  timespan: 1h
)";
    const auto rule = only(chained);
    CHECK(rule.rule == "guessed");
    CHECK(rule.document["within"] == "70m");
    CHECK(rule.document["stages"][0] == parsed(R"({"id":"guessing","match":{"name":"failed_logon"},"repeat":{"at_least":10,"within":"10m","by":"account"}})"));
    CHECK(lost(rule) == std::vector<std::string>{"/1/correlation/timespan"});
    const auto both = imported(chained + "  generate: true\n");
    REQUIRE(both.rules.size() == 2);
    CHECK(both.rules[0].rule == "guessing");
    CHECK(both.rules[0].faults.empty());
}

TEST_CASE("what widens a pattern is said by place") {
    const auto rule = only(R"(title: R
level: critical
license: MIT
correlation:
  type: event_count
  rules: [a, b]
  group-by: [Image, user, EventID]
  timespan: 5m
  condition: {gte: 3, lte: 9}
)");
    CHECK(rule.document["id"] == "r");
    CHECK(rule.document["severity"] == "high");
    CHECK(rule.document["stages"][0]["match"] == parsed(R"({"name":["a","b"]})"));
    CHECK(rule.document["link"] == parsed(R"({"same":["process"]})"));
    CHECK(lost(rule) ==
          std::vector<std::string>{"/0/level", "/0/license", "/0/correlation/group-by/1", "/0/correlation/group-by/2", "/0/correlation/condition/lte"});
}

TEST_CASE("what would be another rule is refused, with every reason") {
    struct Case {
        const char* name;
        std::string members;
        std::vector<std::string> pointers;
    };
    const std::string good_span = "  timespan: 5m\n";
    const std::string good_group = "  group-by: [user]\n";
    const std::vector<Case> cases{
        {"nothing", "  {}\n", {"/type"}},
        {"an unknown type", "  type: event_cuont\n", {"/type"}},
        {"sums", "  type: value_sum\n", {"/type"}},
        {"no group", "  type: event_count\n  rules: [a]\n" + good_span + "  condition: {gte: 2}\n", {"/group-by"}},
        {"groups that are nobody", "  type: event_count\n  rules: [a]\n  group-by: [EventID]\n" + good_span + "  condition: {gte: 2}\n", {"/group-by"}},
        {"below a number", "  type: event_count\n  rules: [a]\n" + good_group + good_span + "  condition: {lt: 2}\n", {"/condition/lt"}},
        {"no number", "  type: event_count\n  rules: [a]\n" + good_group + good_span + "  condition: {}\n", {"/condition"}},
        {"values of nothing", "  type: value_count\n  rules: [a]\n" + good_group + good_span + "  condition: {gte: 2}\n", {"/condition/field"}},
        {"some of the rules", "  type: temporal\n  rules: [a, b, c]\n" + good_group + good_span + "  condition: {gte: 2}\n", {"/condition"}},
        {"a condition in words", "  type: temporal\n  rules: [a, b]\n" + good_group + good_span + "  condition: a and not b\n", {"/condition"}},
        {"too long", "  type: temporal\n  rules: [a, b]\n" + good_group + "  timespan: 3w\n", {"/timespan"}},
        {"no span", "  type: temporal\n  rules: [a, b]\n" + good_group + "  timespan: soon\n", {"/timespan"}},
        {"everything", "  type: temporal\n  rulez: [a]\n", {"/rulez", "/timespan", "/group-by", "/rules"}},
        {"a count of itself", "  type: event_count\n  rules: [r]\n" + good_group + good_span + "  condition: {gte: 2}\n", {"/rules/0"}},
        {"a sequence of itself", "  type: temporal\n  rules: [a, r]\n" + good_group + good_span, {"/rules/1"}},
        {"aliases of two kinds",
         "  type: temporal\n  rules: [a, b]\n  aliases: {who: {a: user, b: src_ip}}\n  group-by: [who]\n" + good_span,
         {"/aliases/who", "/group-by"}},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        const auto import = imported(correlation(c.members));
        REQUIRE(import.rules.size() == 1);
        CHECK(import.rules[0].document.is_null());
        std::vector<std::string> pointers;
        for (const auto& fault : import.rules[0].faults) {
            REQUIRE(fault.pointer.starts_with("/0/correlation"));
            pointers.push_back(fault.pointer.substr(14));
            CHECK_FALSE(fault.detail.empty());
        }
        CHECK(pointers == c.pointers);
    }
}

TEST_CASE("rules that have one name, and one that is neither a correlation nor a selection, are refused by themselves") {
    const auto import = imported("title: A\nname: x\ndetection: {}\n---\ntitle: B\nname: x\ndetection: {}\n---\ntitle: C\ncolour: red\n---\njust text\n");
    REQUIRE(import.rules.size() == 3);
    CHECK(import.rules[0].faults[0].pointer == "/1/name");
    CHECK(import.rules[1].faults[0].pointer == "/2");
    CHECK(import.rules[1].faults[1].pointer == "/2/colour");
    CHECK(import.rules[2].faults[0].pointer == "/3");
}

TEST_CASE("an imported pattern finds what its rule would") {
    auto rule = only(R"(title: Spray
name: spray
correlation:
  type: value_count
  rules: [failed_logon]
  group-by: [IpAddress]
  timespan: 1h
  condition: {field: TargetUserName, gte: 3}
)");
    auto stories = json::object();
    for (const auto& [list, accounts] : {std::pair{"must_match", 3}, std::pair{"must_not_match", 2}}) {
        auto story = json::array();
        for (int i = 0; i < 3; ++i) {
            story.push_back(
                {{"source", "dc"},
                 {"id", std::to_string(i)},
                 {"time", "2026-03-05T10:0" + std::to_string(i) + ":00Z"},
                 {"domain", "identity"},
                 {"name", "failed_logon"},
                 {"entities", {{{"kind", "ip"}, {"value", "203.0.113.40"}}, {{"kind", "account"}, {"value", "user" + std::to_string(i % accounts)}}}}});
        }
        stories[list] = {story};
    }
    rule.document["examples"] = stories;
    const auto document = api::documents::pattern_from_json(rule.document);
    REQUIRE(document.value.has_value());
    const auto outcomes = api::catalogue::run_examples(*document);
    REQUIRE(outcomes.size() == 2);
    for (const auto& outcome : outcomes) CHECK_MESSAGE(outcome.passed, outcome.detail);
}
