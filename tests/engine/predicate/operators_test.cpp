#include "tests/engine/predicate/predicate_builder.hpp"

#include <limits>

using namespace catenary;
using namespace catenary::test;
using engine::FaultCode;
using engine::Scalar;

namespace {

Scalar text(const char* value) { return std::string{value}; }

struct Case {
    std::string field;
    Operator op;
    std::vector<Scalar> operands;
    bool holds;
};

}  // namespace

TEST_CASE("each operator on each sort of field") {
    const auto signal = sign_in();
    const Case cases[] = {
        {"name", Operator::any_of, {text("unfamiliar_location_signin")}, true},
        {"name", Operator::any_of, {text("Unfamiliar_location_signin")}, false},
        {"name", Operator::any_of, {text("a"), text("b"), text("unfamiliar_location_signin")}, true},
        {"name",
         Operator::any_of,
         {text("a"), text("b"), text("c"), text("d"), text("e"), text("f"), text("g"), text("h"), text("i"), text("unfamiliar_location_signin"), text("j")},
         true},
        {"name", Operator::any_of, {text("a"), text("b"), text("c"), text("d"), text("e"), text("f"), text("g"), text("h"), text("i")}, false},
        {"name", Operator::not_any_of, {text("a")}, true},
        {"name", Operator::not_any_of, {text("unfamiliar_location_signin")}, false},
        {"name", Operator::prefix, {text("unfamiliar")}, true},
        {"name", Operator::prefix, {text("familiar"), text("un")}, true},
        {"name", Operator::suffix, {text("signin")}, true},
        {"name", Operator::suffix, {text("signing")}, false},
        {"name", Operator::contains, {text("_location_")}, true},
        {"name", Operator::matches, {text("loc.*sign")}, true},
        {"name", Operator::matches, {text("^loc")}, false},
        {"name", Operator::matches, {text("(?i)^UNFAMILIAR_[a-z]+_SIGNIN$")}, true},
        {"name", Operator::exists, {true}, true},
        {"tactic", Operator::any_of, {text("TA0005")}, true},
        {"tactic", Operator::not_any_of, {text("TA0005")}, false},
        {"tactic", Operator::not_any_of, {text("TA0002")}, true},
        {"technique", Operator::any_of, {text("T1078")}, false},
        {"technique", Operator::any_of, {text("T1078.004")}, true},
        {"technique", Operator::prefix, {text("T1078")}, true},
        {"technique", Operator::exists, {false}, false},
        {"severity", Operator::any_of, {text("medium")}, true},
        {"severity", Operator::any_of, {text("low"), text("high")}, false},
        {"severity", Operator::not_any_of, {text("low")}, true},
        {"severity", Operator::gt, {text("low")}, true},
        {"severity", Operator::gt, {text("medium")}, false},
        {"severity", Operator::gte, {text("medium")}, true},
        {"severity", Operator::lt, {text("medium")}, false},
        {"severity", Operator::lte, {text("medium")}, true},
        {"severity", Operator::exists, {true}, true},
        {"confidence", Operator::any_of, {0.35}, true},
        {"confidence", Operator::gt, {0.35}, false},
        {"confidence", Operator::gte, {0.35}, true},
        {"confidence", Operator::lt, {0.36}, true},
        {"confidence", Operator::lte, {0.34}, false},
        {"confidence", Operator::exists, {false}, false},
        {"count", Operator::any_of, {1.0, 3.0}, true},
        {"count", Operator::not_any_of, {3.0}, false},
        {"count", Operator::gte, {3.0}, true},
        {"attributes.country", Operator::any_of, {text("RO")}, true},
        {"attributes.country", Operator::any_of, {7.5, true, text("DE")}, false},
        {"attributes.risk", Operator::any_of, {7.5}, true},
        {"attributes.risk", Operator::any_of, {text("7.5")}, false},
        {"attributes.risk", Operator::gt, {7.0}, true},
        {"attributes.risk", Operator::lte, {7.0}, false},
        {"attributes.risk", Operator::contains, {text("7")}, false},
        {"attributes.country", Operator::gt, {1.0}, false},
        {"attributes.managed", Operator::any_of, {false}, true},
        {"attributes.managed", Operator::any_of, {true}, false},
        {"attributes.managed", Operator::not_any_of, {true}, true},
        {"attributes.managed", Operator::exists, {true}, true},
        {"attributes.managed", Operator::gte, {0.0}, false},
        {"attributes.tags", Operator::any_of, {text("tor")}, true},
        {"attributes.tags", Operator::not_any_of, {text("tor")}, false},
        {"attributes.tags", Operator::not_any_of, {text("none")}, true},
        {"attributes.absent", Operator::any_of, {text("x")}, false},
        {"attributes.absent", Operator::not_any_of, {text("x")}, true},
        {"attributes.absent", Operator::exists, {true}, false},
        {"attributes.absent", Operator::exists, {false}, true},
        {"attributes.note", Operator::exists, {true}, true},
        {"attributes.note", Operator::any_of, {text("")}, true},
        {"attributes.agent", Operator::matches, {text("^curl/[0-9.]+")}, true},
        {"attributes.agent", Operator::matches, {text("wget"), text("linux")}, true},
        {"attributes.proxy", Operator::cidr, {text("10.0.0.0/8")}, true},
        {"attributes.proxy", Operator::cidr, {text("192.168.0.0/16"), text("10.1.2.3")}, true},
        {"attributes.agent", Operator::cidr, {text("0.0.0.0/0")}, false},
        {"entities.account", Operator::any_of, {text("ALICE@Corp.example")}, true},
        {"entities.account", Operator::prefix, {text("Alice@")}, true},
        {"entities.account", Operator::contains, {text("@CORP")}, true},
        {"entities.account", Operator::not_any_of, {text("bob@corp.example")}, true},
        {"entities.host", Operator::not_any_of, {text("dc1")}, true},
        {"entities.host", Operator::exists, {false}, true},
        {"entities.ip", Operator::any_of, {text("2001:DB8:0::1")}, true},
        {"entities.ip", Operator::cidr, {text("2001:db8::/32")}, true},
        {"entities.ip", Operator::cidr, {text("203.0.113.0/24")}, true},
        {"entities.ip", Operator::cidr, {text("203.0.114.0/24")}, false},
    };
    for (const auto& [field, op, operands, holds] : cases) {
        CAPTURE(field);
        CAPTURE(static_cast<int>(op));
        const auto predicate = engine::Predicate::test({engine::Field::parse(field).value(), op, operands});
        REQUIRE(predicate.has_value());
        CAPTURE(predicate->describe().front());
        CHECK(matches(*predicate, signal) == holds);
    }
}

TEST_CASE("a watchlist is asked by name for the canonical value") {
    const engine::Watchlists lists = [](std::string_view list, std::string_view value) {
        return (list == "vip" && value == "alice@corp.example") || (list == "risks" && value == "7.5") || (list == "states" && value == "false");
    };
    const auto signal = sign_in();
    CHECK(matches(test::test("entities.account", Operator::in_list, {text("vip")}), signal, lists));
    CHECK(matches(test::test("entities.account", Operator::in_list, {text("other"), text("vip")}), signal, lists));
    CHECK_FALSE(matches(test::test("entities.account", Operator::in_list, {text("other")}), signal, lists));
    CHECK(matches(test::test("attributes.risk", Operator::in_list, {text("risks")}), signal, lists));
    CHECK(matches(test::test("attributes.managed", Operator::in_list, {text("states")}), signal, lists));
    CHECK_FALSE(matches(test::test("name", Operator::in_list, {text("vip")}), signal, lists));
    CHECK_FALSE(matches(test::test("entities.account", Operator::in_list, {text("vip")}), signal));
}

TEST_CASE("what cannot match is refused where it is written") {
    struct Refusal {
        std::string field;
        Operator op;
        std::vector<Scalar> operands;
        std::string pointer;
        FaultCode code;
    };
    const Refusal refusals[] = {
        {"name", Operator::any_of, {}, "", FaultCode::missing},
        {"name", Operator::any_of, {text("a"), 4625.0}, "/1", FaultCode::wrong_type},
        {"name", Operator::gt, {text("a")}, "", FaultCode::wrong_type},
        {"name", Operator::cidr, {text("10.0.0.0/8")}, "", FaultCode::wrong_type},
        {"name", Operator::prefix, {text("a"), text("")}, "/1", FaultCode::out_of_range},
        {"name", Operator::matches, {text("a"), text("(")}, "/1", FaultCode::malformed},
        {"name", Operator::matches, {text("(?=x)")}, "/0", FaultCode::malformed},
        {"name", Operator::matches, {text("(x{1000}){1000}")}, "/0", FaultCode::malformed},
        {"name", Operator::exists, {text("yes")}, "/0", FaultCode::wrong_type},
        {"name", Operator::exists, {true, false}, "", FaultCode::wrong_type},
        {"name", Operator::in_list, {true}, "/0", FaultCode::wrong_type},
        {"tactic", Operator::any_of, {text("TA0001"), text("initial-access")}, "/1", FaultCode::malformed},
        {"technique", Operator::not_any_of, {text("T1078.4")}, "/0", FaultCode::malformed},
        {"severity", Operator::any_of, {text("critical")}, "/0", FaultCode::out_of_range},
        {"severity", Operator::gte, {3.0}, "/0", FaultCode::wrong_type},
        {"severity", Operator::prefix, {text("m")}, "", FaultCode::wrong_type},
        {"confidence", Operator::gt, {text("0.5")}, "/0", FaultCode::wrong_type},
        {"confidence", Operator::gt, {50.0}, "/0", FaultCode::out_of_range},
        {"confidence", Operator::contains, {text("5")}, "", FaultCode::wrong_type},
        {"count", Operator::any_of, {2.0, 0.5}, "/1", FaultCode::out_of_range},
        {"count", Operator::gt, {1.0, 2.0}, "", FaultCode::wrong_type},
        {"attributes.a", Operator::gt, {text("1")}, "/0", FaultCode::wrong_type},
        {"attributes.a", Operator::prefix, {1.0}, "/0", FaultCode::wrong_type},
        {"attributes.a", Operator::any_of, {1.0, std::numeric_limits<double>::infinity()}, "/1", FaultCode::out_of_range},
        {"attributes.a", Operator::cidr, {text("10.0.0/8")}, "/0", FaultCode::malformed},
        {"entities.account", Operator::cidr, {text("10.0.0.0/8")}, "", FaultCode::wrong_type},
        {"entities.account", Operator::any_of, {1.0}, "/0", FaultCode::wrong_type},
        {"entities.ip", Operator::any_of, {text("10.0.0.0/8")}, "/0", FaultCode::malformed},
        {"entities.ip", Operator::lt, {1.0}, "", FaultCode::wrong_type},
    };
    for (const auto& [field, op, operands, pointer, code] : refusals) {
        CAPTURE(field);
        CAPTURE(static_cast<int>(op));
        const auto refused = engine::Predicate::test({engine::Field::parse(field).value(), op, operands});
        REQUIRE(refused.has_error());
        CHECK(refused.error().pointer == pointer);
        CHECK(refused.error().code == code);
        CHECK_FALSE(refused.error().detail.empty());
    }
}
