#include "engine/predicate/test.hpp"

#include "engine/predicate/values.hpp"

#include <re2/re2.h>

namespace catenary::engine {
namespace {

using Operator = FieldTest::Operator;

constexpr std::size_t linear_limit = 8;  // up to here comparing lengths one after the other beats halving

template <class T>
bool holds(const std::vector<T>& sorted, const auto& value) {
    if (sorted.size() > linear_limit) return std::binary_search(sorted.begin(), sorted.end(), value);
    return std::find(sorted.begin(), sorted.end(), value) != sorted.end();
}

bool compares(Operator op, double value, double bound) {
    switch (op) {
        case Operator::gt: return value > bound;
        case Operator::gte: return value >= bound;
        case Operator::lt: return value < bound;
        default: return value <= bound;
    }
}

}  // namespace

int CompiledTest::cost() const {
    switch (test_.op) {
        case Operator::matches: return 2;
        case Operator::contains:
        case Operator::cidr:
        case Operator::in_list: return 1;
        default: return test_.field.kind == Field::Kind::attribute || test_.field.kind == Field::Kind::entity ? 1 : 0;
    }
}

bool CompiledTest::matches(const SignalView& signal, const Watchlists& watchlists) const { return any_value_satisfies(signal, watchlists) != is_negated_; }

bool CompiledTest::any_value_satisfies(const SignalView& signal, const Watchlists& watchlists) const {
    const Field& field = test_.field;
    switch (field.kind) {
        case Field::Kind::severity: return (severities_ >> static_cast<unsigned>(signal.severity) & 1u) != 0;
        case Field::Kind::confidence: return satisfies_number(signal.confidence);
        case Field::Kind::count: return satisfies_number(static_cast<double>(signal.count));
        default: break;
    }
    if (test_.op == Operator::in_list) {
        if (!watchlists) return false;
        const auto is_listed = [&](std::string_view value) {
            return std::any_of(texts_.begin(), texts_.end(), [&](const std::string& list) { return watchlists(list, value); });
        };
        if (field.kind == Field::Kind::attribute) {
            return any_attribute(field, signal, [&](const AttributeValue& value) {
                const auto* text = std::get_if<std::string>(&value);
                return text != nullptr ? is_listed(*text) : is_listed(attribute_text(value));
            });
        }
        return any_text(field, signal, is_listed);
    }
    if (field.kind == Field::Kind::attribute) return any_attribute(field, signal, [&](const AttributeValue& value) { return holds_attribute(value); });
    return any_text(field, signal, [&](std::string_view value) { return satisfies_text(value); });
}

bool CompiledTest::holds_attribute(const AttributeValue& value) const {
    if (test_.op == Operator::exists) return true;
    if (const auto* text = std::get_if<std::string>(&value)) return satisfies_text(*text);
    if (const auto* number = std::get_if<double>(&value)) return satisfies_number(*number);
    return std::get<bool>(value) ? takes_true_ : takes_false_;
}

bool CompiledTest::satisfies_number(double value) const {
    switch (test_.op) {
        case Operator::exists: return true;
        case Operator::any_of:
        case Operator::not_any_of: return holds(numbers_, value);
        case Operator::gt:
        case Operator::gte:
        case Operator::lt:
        case Operator::lte: return compares(test_.op, value, numbers_.front());
        default: return false;  // a number does not begin with, contain or match anything
    }
}

bool CompiledTest::satisfies_text(std::string_view value) const {
    const auto any_operand = [&](auto accepts) { return std::any_of(texts_.begin(), texts_.end(), accepts); };
    switch (test_.op) {
        case Operator::any_of:
        case Operator::not_any_of: return holds(texts_, value);
        case Operator::exists: return !value.empty();
        case Operator::prefix: return any_operand([&](const std::string& part) { return value.starts_with(part); });
        case Operator::suffix: return any_operand([&](const std::string& part) { return value.ends_with(part); });
        case Operator::contains: return any_operand([&](const std::string& part) { return value.find(part) != std::string_view::npos; });
        case Operator::matches:
            return std::any_of(expressions_.begin(), expressions_.end(), [&](const auto& expression) {
                return expression->Match({value.data(), value.size()}, 0, value.size(), re2::RE2::UNANCHORED, nullptr, 0);
            });
        case Operator::cidr: {
            const auto address = IpAddress::parse(value);
            return address && std::any_of(networks_.begin(), networks_.end(), [&](const IpNetwork& network) { return network.contains(*address); });
        }
        default: return false;  // gt, gte, lt, lte: text is no number; in_list never comes here
    }
}

}  // namespace catenary::engine
