#include "api/documents/predicate_document.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

using namespace catenary;
using api::documents::Place;
using api::documents::predicate_from_json;
using nlohmann::json;

namespace {

struct Read {
    std::optional<api::documents::PredicateDocument> document;
    engine::Faults faults;
};

Read read(const json& document) {
    Read result;
    result.document = predicate_from_json(Place{result.faults, "/match"}, document);
    return result;
}

engine::Signal sign_in() {
    engine::Signal signal;
    signal.source = "entra_id";
    signal.id = "1";
    signal.domain = "identity";
    signal.name = "impossible_travel";
    signal.tactics = {"TA0001"};
    signal.techniques = {"T1078", "T1078.004"};
    signal.severity = engine::Severity::medium;
    signal.confidence = 0.35;
    signal.count = 3;
    signal.entities = {{"account", "j.morrison@ne.example", "actor", true}, {"ip", "203.0.113.7", "source", true}, {"ip", "10.0.0.9", "proxy", true}};
    signal.attributes = {{"country", std::string{"RO"}}, {"geo.speed", 5210.0}, {"risky", true}};
    return signal;
}

bool matches(const json& document) {
    CAPTURE(document.dump());
    const auto result = read(document);
    for (const auto& fault : result.faults) INFO(fault.pointer, " ", fault.detail);
    REQUIRE(result.document.has_value());
    const auto signal = sign_in();
    const engine::BorrowedSignal borrowed{signal};
    return result.document->predicate.matches(borrowed.view(),
                                              [](std::string_view list, std::string_view value) { return list == "vip" && value == "j.morrison@ne.example"; });
}

}  // namespace

TEST_CASE("every form of a predicate selects what it says") {
    struct Case {
        const char* document;
        bool expected;
    };
    const Case cases[] = {
        {R"({})", true},
        {R"({"name": "impossible_travel"})", true},
        {R"({"name": "Impossible_Travel"})", false},
        {R"({"name": ["a", "impossible_travel"], "domain": "identity"})", true},
        {R"({"name": "impossible_travel", "domain": "email"})", false},
        {R"({"technique": "T1078.004"})", true},
        {R"({"severity": {"gte": "medium"}})", true},
        {R"({"severity": {"gt": "medium"}})", false},
        {R"({"confidence": {"gt": 0.3, "lt": 0.4}})", true},
        {R"({"confidence": {"gt": 0.3, "lt": 0.35}})", false},
        {R"({"count": 3})", true},
        {R"({"name": {"not": "impossible_travel"}})", false},
        {R"({"name": {"not": ["a", "b"]}})", true},
        {R"({"attributes.absent": {"not": "x"}})", true},
        {R"({"name": {"not": {"prefix": "impossible"}}})", false},
        {R"({"name": {"not": {"prefix": "impossible", "suffix": "_sign_in"}}})", true},
        {R"({"name": {"prefix": ["x", "impossible_"], "suffix": "travel"}})", true},
        {R"({"name": {"contains": "ble_tra"}})", true},
        {R"({"name": {"matches": "^imp.*l$"}})", true},
        {R"({"entities.ip": {"cidr": "203.0.113.0/24"}})", true},
        {R"({"entities.ip": {"cidr": ["192.0.2.0/24", "2001:db8::/32"]}})", false},
        {R"({"entities.account": "J.Morrison@NE.example"})", true},
        {R"({"entities.account": {"in_list": "vip"}})", true},
        {R"({"entities.host": {"exists": false}})", true},
        {R"({"attributes.country": "RO", "attributes.geo.speed": {"gt": 900}, "attributes.risky": true})", true},
        {R"({"any_of": [{"name": "x"}, {"attributes.country": ["RO", "BG"]}]})", true},
        {R"({"none_of": [{"name": "x"}, {"attributes.country": "RO"}]})", false},
        {R"({"all_of": [{"domain": "identity"}, {"none_of": [{"source": "okta"}]}]})", true},
    };
    for (const auto& c : cases) CHECK(matches(json::parse(c.document)) == c.expected);
}

TEST_CASE("a bad predicate is refused at the pointer of its fault") {
    struct Case {
        std::string name;
        const char* document;
        std::string pointer;
        engine::FaultCode code;
    };
    using engine::FaultCode;
    const Case cases[] = {
        {"no object", R"(["name"])", "/match", FaultCode::wrong_type},
        {"unknown field", R"({"nmae": "x"})", "/match/nmae", FaultCode::unknown_field},
        {"unknown operator", R"({"name": {"matchs": "x"}})", "/match/name/matchs", FaultCode::unknown_field},
        {"empty operator object", R"({"name": {}})", "/match/name", FaultCode::missing},
        {"empty list", R"({"name": []})", "/match/name", FaultCode::out_of_range},
        {"null", R"({"name": null})", "/match/name", FaultCode::wrong_type},
        {"null in a list", R"({"name": ["a", null]})", "/match/name/1", FaultCode::wrong_type},
        {"a list in a list", R"({"name": [["a"]]})", "/match/name/0", FaultCode::wrong_type},
        {"number for a name", R"({"name": 3})", "/match/name", FaultCode::wrong_type},
        {"list of bounds", R"({"confidence": {"gt": [0.1, 0.2]}})", "/match/confidence/gt", FaultCode::wrong_type},
        {"text as a bound", R"({"confidence": {"gt": "high"}})", "/match/confidence/gt", FaultCode::wrong_type},
        {"no severity", R"({"severity": ["low", "urgent"]})", "/match/severity/1", FaultCode::out_of_range},
        {"bad expression", R"({"name": {"matches": ["a+", "("]}})", "/match/name/matches/1", FaultCode::malformed},
        {"look-around is no RE2", R"x({"name": {"matches": "(?=a)"}})x", "/match/name/matches", FaultCode::malformed},
        {"bad network", R"({"entities.ip": {"cidr": "10.0.0.0/40"}})", "/match/entities.ip/cidr", FaultCode::malformed},
        {"exists takes a truth value", R"({"name": {"exists": "yes"}})", "/match/name/exists", FaultCode::wrong_type},
        {"combinator without a list", R"({"any_of": {"name": "x"}})", "/match/any_of", FaultCode::wrong_type},
        {"combinator with nothing", R"({"none_of": []})", "/match/none_of", FaultCode::out_of_range},
        {"deep inside", R"({"all_of": [{"name": "x"}, {"any_of": [{"entities.ip": {"cdir": "x"}}]}]})", "/match/all_of/1/any_of/0/entities.ip/cdir",
         FaultCode::unknown_field},
        {"inside not", R"({"name": {"not": {"prefx": "x"}}})", "/match/name/not/prefx", FaultCode::unknown_field},
        {"slash and tilde in a field", R"({"a/b~c": "x"})", "/match/a~1b~0c", FaultCode::unknown_field},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        const auto result = read(json::parse(c.document));
        CHECK_FALSE(result.document.has_value());
        REQUIRE(result.faults.size() == 1);
        CHECK(result.faults[0].pointer == c.pointer);
        CHECK(std::string{engine::to_string(result.faults[0].code)} == std::string{engine::to_string(c.code)});
        CHECK_FALSE(result.faults[0].detail.empty());
    }
}

TEST_CASE("all faults of a predicate are said at once, unknown words with the nearest known one") {
    const auto result = read(json::parse(R"({"nmae": "x", "attribute.country": "RO", "name": {"mathces": "a", "sufix": "b"}, "severity": "urgent"})"));
    REQUIRE(result.faults.size() == 5);
    const auto detail_at = [&result](std::string_view pointer) -> std::string {
        for (const auto& fault : result.faults) {
            if (fault.pointer == pointer) return fault.detail;
        }
        return "";
    };
    CHECK(detail_at("/match/nmae").find("\"name\"") != std::string::npos);
    CHECK(detail_at("/match/attribute.country").find("\"attributes\"") != std::string::npos);
    CHECK(detail_at("/match/name/mathces").find("\"matches\"") != std::string::npos);
    CHECK(detail_at("/match/name/sufix").find("\"suffix\"") != std::string::npos);
}

TEST_CASE("a predicate holds a bounded number of regular expressions") {
    json expressions = json::array();
    for (int i = 0; i < 33; ++i) expressions.push_back("a" + std::to_string(i));
    const auto result = read({{"name", {{"matches", expressions}}}});
    REQUIRE(result.faults.size() == 1);
    CHECK(result.faults[0].code == engine::FaultCode::too_large);
    expressions.erase(0);
    CHECK(read({{"name", {{"matches", expressions}}}}).document.has_value());
}

TEST_CASE("the normal form of a predicate reads back as itself") {
    const auto document = json::parse(R"({"name": ["x"], "severity": {"gte": "low"}, "any_of": [{"source": ["a"]}, {"count": {"not": [1, 2]}}]})");
    const auto first = read(document);
    REQUIRE(first.document.has_value());
    CHECK(first.document->normal["name"] == "x");
    const auto second = read(first.document->normal);
    REQUIRE(second.document.has_value());
    CHECK(second.document->normal == first.document->normal);
}
