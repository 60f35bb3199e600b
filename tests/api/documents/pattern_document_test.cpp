#include "api/documents/pattern_document.hpp"
#include "api/documents/document.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

using namespace catenary;
using namespace std::chrono_literals;
using api::documents::pattern_from_json;
using api::documents::pattern_to_json;
using nlohmann::json;

namespace {

json pattern() {
    return json::parse(R"({
        "id": "sign-in-then-rule", "title": "Sign-in, then a rule", "severity": "high", "within": "24h", "link": {"same": ["account"]},
        "stages": [{"id": "access", "match": {"domain": "identity", "name": ["impossible_travel", "unfamiliar_location_signin"]}},
                   {"id": "guessing", "match": {"name": "failed_sign_in"}, "repeat": {"at_least": 20, "within": "10m", "by": "account", "distinct": "entities.ip"}},
                   {"id": "exfiltration", "match": {"name": {"prefix": "mass_"}}, "optional": true}]})");
}

json changed(const char* pointer, const char* value) {
    auto document = pattern();
    document[json::json_pointer(pointer)] = json::parse(value);
    return document;
}
json without(const char* parent, const char* name) {
    auto document = pattern();
    document[json::json_pointer(parent)].erase(name);
    return document;
}

}  // namespace

TEST_CASE("a pattern document becomes the pattern that it describes") {
    auto document = pattern();
    document["description"] = "Why\nit matters";
    document["tactics"] = {"TA0003", "TA0001", "TA0001"};
    document["techniques"] = {"T1564.008"};
    document["mode"] = "flighting";
    document["max_span"] = "10d";
    document["effective_from"] = "2026-03-01T00:00:00Z";
    const auto read = pattern_from_json(document);
    for (const auto& fault : read.faults) FAIL_CHECK(fault.pointer << ": " << fault.detail);
    REQUIRE(read.value.has_value());
    const auto& got = read->pattern;
    CHECK(got.id == "sign-in-then-rule");
    CHECK(got.version == 1);
    CHECK(got.title == "Sign-in, then a rule");
    CHECK(got.description == "Why\nit matters");
    CHECK(got.severity == engine::Severity::high);
    CHECK(got.tactics == std::vector<std::string>{"TA0001", "TA0003"});
    CHECK(got.mode == engine::Mode::flighting);
    CHECK(got.within == 24h);
    CHECK(got.max_span == 240h);
    CHECK(got.link == engine::LinkMode::same);
    CHECK(got.link_kinds == std::vector<std::string>{"account"});
    REQUIRE(got.stages.size() == 3);
    CHECK(got.stages[0].match.required_names() == std::set<std::string>{"impossible_travel", "unfamiliar_location_signin"});
    REQUIRE(got.stages[1].repeat.has_value());
    CHECK(got.stages[1].repeat->at_least == 20);
    CHECK(got.stages[1].repeat->within == 10min);
    CHECK(got.stages[1].repeat->by == "account");
    CHECK(got.stages[1].repeat->distinct->written() == "entities.ip");
    CHECK_FALSE(got.stages[1].optional);
    CHECK(got.stages[2].optional);
    CHECK(read->effective_from == engine::from_micros(1'772'323'200'000'000));
}

TEST_CASE("what is left out has its default") {
    const auto read = pattern_from_json(json::parse(R"({"id": "p", "title": "P", "within": "1h", "stages": [{"id": "s", "match": {}}]})"));
    REQUIRE(read.value.has_value());
    CHECK(read->pattern.severity == engine::Severity::medium);
    CHECK(read->pattern.mode == engine::Mode::production);
    CHECK(read->pattern.link == engine::LinkMode::none);
    CHECK(read->pattern.max_span == 14 * 24h);
    CHECK_FALSE(read->effective_from.has_value());
}

TEST_CASE("a bad pattern is refused at the pointer of its fault") {
    struct Case {
        std::string name;
        json document;
        std::string pointer;
        engine::FaultCode code;
    };
    using engine::FaultCode;
    const Case cases[] = {
        {"no object", json::parse("[1]"), "", FaultCode::wrong_type},
        {"no id", without("", "id"), "/id", FaultCode::missing},
        {"empty id", changed("/id", R"("")"), "/id", FaultCode::out_of_range},
        {"id of two lines", changed("/id", R"("a\nb")"), "/id", FaultCode::malformed},
        {"no title", without("", "title"), "/title", FaultCode::missing},
        {"no within", without("", "within"), "/within", FaultCode::missing},
        {"no stages", without("", "stages"), "/stages", FaultCode::missing},
        {"empty stages", changed("/stages", "[]"), "/stages", FaultCode::out_of_range},
        {"unknown member", changed("/witin", R"("1h")"), "/witin", FaultCode::unknown_field},
        {"unknown member of a stage", changed("/stages/0/mach", "{}"), "/stages/0/mach", FaultCode::unknown_field},
        {"unknown severity", changed("/severity", R"("critical")"), "/severity", FaultCode::out_of_range},
        {"span as a number", changed("/within", "24"), "/within", FaultCode::wrong_type},
        {"span without a unit", changed("/within", R"("24")"), "/within", FaultCode::malformed},
        {"within above what is kept", changed("/within", R"("15d")"), "/within", FaultCode::out_of_range},
        {"max_span above a month", changed("/max_span", R"("31d")"), "/max_span", FaultCode::out_of_range},
        {"tactic by name", changed("/tactics", R"(["TA0001", "persistence"])"), "/tactics/1", FaultCode::malformed},
        {"technique with a bad part", changed("/techniques", R"(["T1078.4"])"), "/techniques/0", FaultCode::malformed},
        {"unknown mode", changed("/mode", R"("live")"), "/mode", FaultCode::out_of_range},
        {"bad time", changed("/effective_from", R"("yesterday")"), "/effective_from", FaultCode::malformed},
        {"stages without a link", json::parse(R"({"id": "p", "title": "P", "within": "1h", "stages": [{"id": "a", "match": {}}, {"id": "b", "match": {}}]})"),
         "/link", FaultCode::missing},
        {"link without kinds", changed("/link", "{}"), "/link", FaultCode::missing},
        {"kind given twice", changed("/link/same", R"(["account", "account"])"), "/link/same/1", FaultCode::conflict},
        {"kind that is no word", changed("/link/same", R"(["User Account"])"), "/link/same/0", FaultCode::malformed},
        {"stage that is no object", changed("/stages/2", R"("x")"), "/stages/2", FaultCode::wrong_type},
        {"stage without an id", without("/stages/0", "id"), "/stages/0/id", FaultCode::missing},
        {"stage without a match", without("/stages/0", "match"), "/stages/0/match", FaultCode::missing},
        {"stage id given twice", changed("/stages/1/id", R"("access")"), "/stages/1/id", FaultCode::conflict},
        {"fault inside a match", changed("/stages/0/match/nmae", R"("x")"), "/stages/0/match/nmae", FaultCode::unknown_field},
        {"repeat without by", without("/stages/1/repeat", "by"), "/stages/1/repeat/by", FaultCode::missing},
        {"repeat by another kind", changed("/stages/1/repeat/by", R"("host")"), "/stages/1/repeat/by", FaultCode::conflict},
        {"repeat of nothing", changed("/stages/1/repeat/at_least", "0"), "/stages/1/repeat/at_least", FaultCode::out_of_range},
        {"repeat of a fraction", changed("/stages/1/repeat/at_least", "2.5"), "/stages/1/repeat/at_least", FaultCode::out_of_range},
        {"distinct of nothing", changed("/stages/1/repeat/distinct", R"("colour")"), "/stages/1/repeat/distinct", FaultCode::unknown_field},
        {"examples of another shape", changed("/examples", R"({"must_match": [[{"name": "x"}], ["x"]]})"), "/examples/must_match/1/0", FaultCode::wrong_type},
        {"link in two ways", changed("/link", R"({"same": ["account"], "chain": ["account", "host"]})"), "/link", FaultCode::conflict},
        {"chain of nothing", changed("/link", R"({"chain": []})"), "/link/chain", FaultCode::out_of_range},
        {"within of a stage without a length", changed("/stages/1/within", R"("soon")"), "/stages/1/within", FaultCode::malformed},
        {"absence that is no list", changed("/absent", R"({"match": {"name": "x"}, "after": "access", "within": "1h"})"), "/absent", FaultCode::wrong_type},
        {"more absences than are judged",
         changed(
             "/absent",
             R"([{"match": {}, "after": "access", "within": "1h"}, {"match": {}, "after": "access", "within": "1h"}, {"match": {}, "after": "access", "within": "1h"}, {"match": {}, "after": "access", "within": "1h"}, {"match": {}, "after": "access", "within": "1h"}, {"match": {}, "after": "access", "within": "1h"}])"),
         "/absent", FaultCode::out_of_range},
        {"absence without a match", changed("/absent", R"([{"between": ["access", "guessing"]}])"), "/absent/0/match", FaultCode::missing},
        {"fault inside an absence", changed("/absent", R"([{"match": {"nmae": "x"}, "between": ["access", "guessing"]}])"), "/absent/0/match/nmae",
         FaultCode::unknown_field},
        {"absence at no time", changed("/absent", R"([{"match": {"name": "x"}, "within": "1h"}])"), "/absent/0", FaultCode::missing},
        {"absence at two times", changed("/absent", R"([{"match": {"name": "x"}, "after": "access", "before": "guessing", "within": "1h"}])"), "/absent/0",
         FaultCode::conflict},
        {"absence with an unknown member", changed("/absent", R"([{"match": {"name": "x"}, "betwen": [], "after": "access", "within": "1h"}])"),
         "/absent/0/betwen", FaultCode::unknown_field},
        {"absence between one stage", changed("/absent", R"([{"match": {"name": "x"}, "between": ["access"]}])"), "/absent/0/between", FaultCode::out_of_range},
        {"absence between unknown stages", changed("/absent", R"([{"match": {"name": "x"}, "between": ["access", "gessing"]}])"), "/absent/0/between/1",
         FaultCode::out_of_range},
        {"absence between a stage and itself", changed("/absent", R"([{"match": {"name": "x"}, "between": ["access", "access"]}])"), "/absent/0/between/1",
         FaultCode::conflict},
        {"absence between stages the wrong way round", changed("/absent", R"([{"match": {"name": "x"}, "between": ["guessing", "access"]}])"),
         "/absent/0/between/1", FaultCode::conflict},
        {"absence between two stages with a length", changed("/absent", R"([{"match": {"name": "x"}, "between": ["access", "guessing"], "within": "1h"}])"),
         "/absent/0/within", FaultCode::conflict},
        {"absence after an unknown stage", changed("/absent", R"([{"match": {"name": "x"}, "after": "acces", "within": "1h"}])"), "/absent/0/after",
         FaultCode::out_of_range},
        {"absence after a stage for no time", changed("/absent", R"([{"match": {"name": "x"}, "after": "access"}])"), "/absent/0/within", FaultCode::missing},
        {"absence before a stage for longer than is kept", changed("/absent", R"([{"match": {"name": "x"}, "before": "access", "within": "15d"}])"),
         "/absent/0/within", FaultCode::out_of_range},
        {"more domains than may be required", changed("/require", R"({"domains": 5})"), "/require/domains", FaultCode::out_of_range},
        {"something else required", changed("/require", R"({"sources": 2})"), "/require/sources", FaultCode::unknown_field},
        {"strict of another type", changed("/strict", R"("yes")"), "/strict", FaultCode::wrong_type},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        const auto read = pattern_from_json(c.document);
        CHECK_FALSE(read.value.has_value());
        std::string said;
        for (const auto& fault : read.faults) said += fault.pointer + " " + engine::to_string(fault.code) + "; ";
        CAPTURE(said);
        REQUIRE(read.faults.size() == 1);
        CHECK(read.faults[0].pointer == c.pointer);
        CHECK(std::string{engine::to_string(read.faults[0].code)} == std::string{engine::to_string(c.code)});
    }
}

TEST_CASE("all faults of a pattern are said at once, those across its members too") {
    auto document = pattern();
    document["sevrity"] = "high";
    document.erase("title");
    document["stages"][0]["match"]["nmae"] = "x";
    document["stages"][1]["repeat"]["by"] = "host";
    document["stages"][2]["id"] = "access";
    const auto read = pattern_from_json(document);
    std::set<std::string> pointers;
    for (const auto& fault : read.faults) pointers.insert(fault.pointer);
    CHECK(pointers == std::set<std::string>{"/sevrity", "/title", "/stages/0/match/nmae", "/stages/1/repeat/by", "/stages/2/id"});
}

TEST_CASE("the faults of one document are bounded") {
    auto document = pattern();
    for (int i = 0; i < 500; ++i) document["member" + std::to_string(i)] = i;
    CHECK(pattern_from_json(document).faults.size() == 100);
}

TEST_CASE("asking for the default is no fault") {
    auto document = pattern();
    document["order"] = "sequence";
    document["absent"] = json::array();
    document["require"] = json::object();
    document["strict"] = false;
    document["overlap"] = false;
    CHECK(pattern_from_json(document).value.has_value());
}

TEST_CASE("any order, chains, limits on gaps, strictness and required domains are read and written") {
    auto document = pattern();
    document["link"] = json::parse(R"({"chain": ["account", "host"]})");
    document["stages"][1]["within"] = "4h";
    document["strict"] = true;
    document["require"] = {{"domains", 2}};
    const auto read = pattern_from_json(document);
    REQUIRE(read.value.has_value());
    const engine::Pattern& got = read.value->pattern;
    CHECK(got.link == engine::LinkMode::chain);
    CHECK(got.stages[1].within == engine::Duration{std::chrono::hours{4}});
    CHECK(got.strict);
    CHECK(got.required_domains == 2);
    const auto written = pattern_to_json(*read.value);
    CHECK(written["link"] == json::parse(R"({"chain": ["account", "host"]})"));
    CHECK(written["stages"][1]["within"] == "4h");
    CHECK(written["strict"] == true);
    CHECK(written["require"]["domains"] == 2);
    CHECK(pattern_to_json(*pattern_from_json(json::parse(written.dump())).value) == written);
}

TEST_CASE("absence conditions are read and written in their three forms") {
    auto document = pattern();
    document["absent"] = json::parse(R"([{"match": {"name": ["travel_approved"]}, "between": ["access", "guessing"]},
                                         {"match": {"name": "ticket_opened"}, "after": "guessing", "within": "60m"},
                                         {"within": "2d", "match": {"domain": "identity"}, "before": "access"}])");
    const auto read = pattern_from_json(document);
    for (const auto& fault : read.faults) FAIL_CHECK(fault.pointer << ": " << fault.detail);
    REQUIRE(read.value.has_value());
    using Where = engine::Absence::Where;
    const auto& absent = read.value->pattern.absent;
    REQUIRE(absent.size() == 3);
    CHECK(absent[0].where == Where::between);
    CHECK(absent[0].stage == 0);
    CHECK(absent[0].until == 1);
    CHECK(absent[1].where == Where::after);
    CHECK(absent[1].stage == 1);
    CHECK(absent[1].within == 1h);
    CHECK(absent[2].where == Where::before);
    CHECK(absent[2].stage == 0);
    CHECK(absent[2].within == 48h);
    const auto written = pattern_to_json(*read.value);
    CHECK(written["absent"].dump() == R"([{"match":{"name":"travel_approved"},"between":["access","guessing"]},)"
                                      R"({"match":{"name":"ticket_opened"},"after":"guessing","within":"1h"},)"
                                      R"({"match":{"domain":"identity"},"before":"access","within":"2d"}])");
    CHECK(pattern_to_json(*pattern_from_json(json::parse(written.dump())).value) == written);
    CHECK_FALSE(pattern_to_json(*pattern_from_json(pattern()).value).contains("absent"));
}

TEST_CASE("the fault of an absence says what would be right") {
    const auto detail = [](const char* absent) { return pattern_from_json(changed("/absent", absent)).faults.at(0).detail; };
    CHECK(detail(R"([{"match": {}, "between": ["access", "gessing"]}])").find("did you mean \"guessing\"?") != std::string::npos);
    CHECK(detail(R"([{"match": {}, "aftr": "access"}])").find("did you mean \"after\"?") != std::string::npos);
    CHECK(detail(R"([{"match": {}, "after": "nowhere", "within": "1h"}])").find("allowed: \"access\", \"guessing\", \"exfiltration\"") != std::string::npos);
}

TEST_CASE("under any order stages may match the same signals once, more often only when the pattern says so") {
    auto document = pattern();
    document["order"] = "any";
    for (auto& stage : document["stages"]) stage["match"] = {{"name", "seen"}};
    const auto read = pattern_from_json(document);
    REQUIRE(read.faults.size() == 1);
    CHECK(read.faults[0].pointer == "/stages");
    CHECK(read.faults[0].code == engine::FaultCode::conflict);
    document["overlap"] = true;
    CHECK(pattern_from_json(document).value.has_value());
    document.erase("overlap");
    document["stages"][2]["match"] = {{"name", "other"}};
    CHECK(pattern_from_json(document).value.has_value());
}

TEST_CASE("the normal form is stable and compiles to the same pattern") {
    auto document = pattern();
    document["within"] = "1440m";
    document["max_span"] = "14d";
    document["mode"] = "flighting";
    document["examples"] = json::parse(R"({"must_match": [[{"name": "b", "a": 1}]]})");
    document["stages"][0]["match"]["domain"] = json::array({"identity"});
    const auto read = pattern_from_json(document);
    REQUIRE(read.value.has_value());
    const auto normal = pattern_to_json(*read);
    CHECK(normal["stages"][0]["match"]["domain"] == "identity");
    CHECK_FALSE(normal.contains("mode"));
    CHECK_FALSE(normal.contains("max_span"));
    const auto again = pattern_from_json(json::parse(normal.dump()));
    REQUIRE(again.value.has_value());
    CHECK(pattern_to_json(*again).dump() == normal.dump());
    CHECK(again->pattern.within == read->pattern.within);
    const auto stored = api::documents::stored_pattern(normal.dump(), 4, engine::Mode::off);
    CHECK(stored.version == 4);
    CHECK(stored.mode == engine::Mode::off);
    CHECK(stored.stages.size() == 3);
    CHECK_THROWS_AS(api::documents::stored_pattern("{}", 1, engine::Mode::off), std::invalid_argument);
    CHECK_THROWS_AS(api::documents::stored_pattern("{", 1, engine::Mode::off), std::invalid_argument);
}

TEST_CASE("YAML and JSON of the same pattern are the same document") {
    const auto yaml = api::documents::read_document(R"(
id: sign-in-then-rule
title: "Sign-in, then a rule"
severity: high
within: 24h
link: {same: [account]}
stages:
  - id: access
    match: {domain: identity, name: [impossible_travel, unfamiliar_location_signin]}
  - id: guessing
    match: {name: failed_sign_in}
    repeat: {at_least: 20, within: 10m, by: account, distinct: entities.ip}
  - id: exfiltration
    match: {name: {prefix: mass_}}
    optional: true
)",
                                                    api::documents::Syntax::yaml);
    REQUIRE(yaml.value.has_value());
    CHECK(*yaml == pattern());
    const auto same = api::documents::read_document(pattern().dump(), api::documents::Syntax::json);
    REQUIRE(same.value.has_value());
    CHECK(*same == pattern());
}

TEST_CASE("the syntax of a document follows from its content type") {
    using api::documents::Syntax;
    using api::documents::syntax_of;
    CHECK(syntax_of("application/json") == Syntax::json);
    CHECK(syntax_of("") == Syntax::json);
    CHECK(syntax_of("application/yaml") == Syntax::yaml);
    CHECK(syntax_of("text/x-yaml") == Syntax::yaml);
    CHECK_FALSE(syntax_of("text/plain").has_value());
}
