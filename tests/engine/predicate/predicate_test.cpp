#include "tests/engine/predicate/predicate_builder.hpp"

#include <random>

using namespace catenary;
using namespace catenary::test;
using engine::Predicate;

namespace {

/// A predicate together with its truth for sign_in(), computed apart from it.
struct Known {
    Predicate predicate;
    bool truth;
};

Known random_tree(std::mt19937& random, int depth) {
    const bool truth = random() % 2 == 0;
    if (depth == 0) {
        switch (random() % 4) {
            case 0: return {equals("domain", std::string{truth ? "identity" : "email"}), truth};
            case 1: return {test::test("attributes.agent", Operator::matches, {std::string{truth ? "c.rl" : "w.et"}}), truth};
            case 2: return {test::test("attributes.country", Operator::not_any_of, {std::string{truth ? "DE" : "RO"}}), truth};
            default: return {test::test("entities.ip", Operator::exists, {truth}), truth};
        }
    }
    std::vector<Predicate> parts;
    bool all = true;
    bool any = false;
    for (auto left = random() % 4; left > 0; --left) {
        auto part = random_tree(random, depth - 1);
        parts.push_back(part.predicate);
        all = all && part.truth;
        any = any || part.truth;
    }
    switch (random() % 3) {
        case 0: return {Predicate::all_of(std::move(parts)), all};
        case 1: return {Predicate::any_of(std::move(parts)), any};
        default: return {Predicate::none_of(std::move(parts)), !any};
    }
}

}  // namespace

TEST_CASE("property: compositions hold as their parts say") {
    const auto signal = sign_in();
    std::mt19937 random{11};
    int held = 0;
    for (int round = 0; round < 3000; ++round) {
        CAPTURE(round);
        const auto known = random_tree(random, static_cast<int>(random() % 4));
        CHECK(matches(known.predicate, signal) == known.truth);
        held += known.truth;
    }
    CHECK(held > 500);
    CHECK(held < 2500);
}

TEST_CASE("the empty predicate matches every signal") {
    CHECK(matches(Predicate{}, sign_in()));
    CHECK(matches(Predicate{}, engine::Signal{}));
    CHECK(Predicate{}.is_static());
    CHECK(Predicate{}.describe().empty());
    CHECK_FALSE(matches(Predicate::any_of({}), sign_in()));
}

TEST_CASE("only tests on fields that many signals share are static") {
    CHECK(equals("domain", std::string{"x"}).is_static());
    CHECK(Predicate::all_of({equals("name", std::string{"x"}), equals("severity", std::string{"low"}), equals("tactic", std::string{"TA0001"})}).is_static());
    CHECK(test::test("name", Operator::matches, {std::string{"x"}}).is_static());
    CHECK_FALSE(test::test("name", Operator::in_list, {std::string{"x"}}).is_static());
    CHECK_FALSE(equals("confidence", 0.5).is_static());
    CHECK_FALSE(equals("count", 2.0).is_static());
    CHECK_FALSE(equals("attributes.a", true).is_static());
    CHECK_FALSE(Predicate::none_of({equals("entities.ip", std::string{"10.0.0.1"})}).is_static());
}

TEST_CASE("required names are a necessary condition") {
    const auto names = [](std::initializer_list<engine::Scalar> list) { return test::test("name", Operator::any_of, list); };
    const auto domain = equals("domain", std::string{"x"});
    using Names = std::set<std::string>;
    const engine::Scalar a = std::string{"a"}, b = std::string{"b"}, c = std::string{"c"};
    CHECK(names({a, b}).required_names() == Names{"a", "b"});
    CHECK(Predicate::all_of({domain, names({a, b})}).required_names() == Names{"a", "b"});
    CHECK(Predicate::all_of({names({a, b}), names({b, c})}).required_names() == Names{"b"});
    CHECK(Predicate::all_of({names({a}), names({c})}).required_names() == Names{});
    CHECK(Predicate::any_of({names({a}), Predicate::all_of({domain, names({c})})}).required_names() == Names{"a", "c"});
    CHECK_FALSE(Predicate::any_of({names({a}), domain}).required_names().has_value());
    CHECK_FALSE(Predicate::none_of({names({a})}).required_names().has_value());
    CHECK_FALSE(test::test("name", Operator::not_any_of, {a}).required_names().has_value());
    CHECK_FALSE(Predicate{}.required_names().has_value());
}

TEST_CASE("attribute paths are those of every part") {
    const auto predicate =
        Predicate::all_of({equals("attributes.a.b", 1.0), Predicate::none_of({equals("attributes.c", true)}), equals("domain", std::string{"x"})});
    CHECK(predicate.attribute_paths() == std::set<std::string>{"a.b", "c"});
}

TEST_CASE("a predicate describes itself, a sentence for each conjunct in the order written") {
    using Sentences = std::vector<std::string>;
    const engine::Scalar a = std::string{"a"}, b = std::string{"b"};
    const auto predicate = Predicate::all_of({
        test::test("name", Operator::matches, {std::string{"^x"}}),
        equals("domain", std::string{"identity"}),
        Predicate::all_of({test::test("name", Operator::any_of, {a, b}), test::test("confidence", Operator::gte, {0.5})}),
        Predicate::any_of({equals("count", 2.0), test::test("attributes.off_hours", Operator::exists, {false})}),
        Predicate::none_of({equals("attributes.managed", true), test::test("entities.account", Operator::in_list, {std::string{"vip"}})}),
        equals("entities.account", std::string{"CORP\\Alice"}),
    });
    CHECK(predicate.describe() == Sentences{"name matches ^x", "domain = identity", "name in [a, b]", "confidence >= 0.5",
                                            "(count = 2 or attributes.off_hours is absent)",
                                            "none of (attributes.managed = true; entities.account in watchlist vip)", "entities.account = corp\\alice"});
    CHECK(equals("domain", std::string{"identity"}).describe() == Sentences{"domain = identity"});
}

TEST_CASE("a copy of a predicate outlives the original") {
    const auto copy = [] {
        const auto original = Predicate::all_of({equals("domain", std::string{"identity"}), equals("name", std::string{"unfamiliar_location_signin"})});
        return Predicate{original};
    }();
    CHECK(matches(copy, sign_in()));
}
