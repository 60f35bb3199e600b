#pragma once

#include "engine/model/ip_address.hpp"
#include "engine/predicate/predicate.hpp"

#include <memory>

namespace re2 {
class RE2;
}

namespace catenary::engine {

/// One field test with everything prepared that does not depend on the signal.
class CompiledTest {
public:
    static Result<CompiledTest> make(FieldTest test);

    bool matches(const SignalView& signal, const Watchlists& watchlists) const;
    /// As given, entity operands in their canonical spelling.
    const FieldTest& test() const { return test_; }
    /// Evaluation order among conjuncts: 0 equality, 1 searches and lookups, 2 regular expressions.
    int cost() const;

private:
    explicit CompiledTest(FieldTest test) : test_(std::move(test)) {}

    std::optional<Fault> prepare();
    std::optional<Fault> prepare_severity();
    std::optional<Fault> prepare_number();
    std::optional<Fault> prepare_text();
    std::optional<Fault> prepare_expression(const std::string& operand, std::size_t index);
    std::optional<Fault> prepare_network(const std::string& operand, std::size_t index);

    bool any_value_satisfies(const SignalView& signal, const Watchlists& watchlists) const;
    bool satisfies_number(double value) const;
    bool satisfies_text(std::string_view value) const;
    bool holds_attribute(const AttributeValue& value) const;

    FieldTest test_;
    bool is_negated_ = false;         ///< `not`, and `exists: false`
    unsigned severities_ = 0;         ///< bit s: severity s satisfies
    std::vector<std::string> texts_;  ///< any_of, not: sorted, without repeats; otherwise as given
    std::vector<double> numbers_;     ///< sorted, without repeats
    bool takes_true_ = false;
    bool takes_false_ = false;
    std::vector<std::shared_ptr<const re2::RE2>> expressions_;
    std::vector<IpNetwork> networks_;
};

}  // namespace catenary::engine
