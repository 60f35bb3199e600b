#pragma once

#include "engine/predicate/predicate.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace catenary::test {

using Operator = engine::FieldTest::Operator;

inline engine::Result<engine::Predicate> made(std::string_view field, Operator op, std::initializer_list<engine::Scalar> operands) {
    return engine::Predicate::test({engine::Field::parse(field).value(), op, operands});
}

inline engine::Predicate test(std::string_view field, Operator op, std::initializer_list<engine::Scalar> operands) { return made(field, op, operands).value(); }

inline engine::Predicate equals(std::string_view field, engine::Scalar value) { return test(field, Operator::any_of, {std::move(value)}); }

/// A sign-in that has something in every field.
inline engine::Signal sign_in() {
    return {.source = "entra_id",
            .id = "1",
            .time = engine::from_micros(0),
            .domain = "identity",
            .name = "unfamiliar_location_signin",
            .tactics = {"TA0001", "TA0005"},
            .techniques = {"T1078.004"},
            .severity = engine::Severity::medium,
            .confidence = 0.35,
            .count = 3,
            .entities = {{"account", "alice@corp.example", "actor", true}, {"ip", "203.0.113.7", "", true}, {"ip", "2001:db8::1", "", true}},
            .attributes = {{"country", std::string{"RO"}},
                           {"risk", 7.5},
                           {"managed", false},
                           {"tags", std::string{"vpn"}},
                           {"tags", std::string{"tor"}},
                           {"agent", std::string{"curl/8.0 (linux)"}},
                           {"proxy", std::string{"10.1.2.3"}},
                           {"note", std::string{}}}};
}

inline bool matches(const engine::Predicate& predicate, const engine::Signal& signal, const engine::Watchlists& watchlists = {}) {
    const engine::BorrowedSignal borrowed{signal};
    return predicate.matches(borrowed.view(), watchlists);
}

}  // namespace catenary::test
