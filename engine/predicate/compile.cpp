#include "engine/model/anonymous_names.hpp"
#include "engine/model/ascii.hpp"
#include "engine/model/canonical.hpp"
#include "engine/predicate/test.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>

// Everything that can be wrong with a test is found here, so that no predicate silently matches nothing.

namespace catenary::engine {
namespace {

using Operator = FieldTest::Operator;

constexpr std::int64_t expression_memory = 1 << 20;  // bytes; a tenant may have thousands of expressions

bool is_equality(Operator op) { return op == Operator::any_of || op == Operator::not_any_of; }
bool is_ordering(Operator op) { return op == Operator::gt || op == Operator::gte || op == Operator::lt || op == Operator::lte; }

std::string pointer_to(std::size_t operand) { return "/" + std::to_string(operand); }

Fault not_applicable(const Field& field, const char* what_it_holds, const char* operators) {
    return {FaultCode::wrong_type, "", field.written() + " " + what_it_holds + ": it takes " + operators};
}

template <class T>
void sort_set(std::vector<T>& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
}

/// "TA0001", or "T1078" with "T1078.004": no signal holds anything else.
bool is_attack_id(std::string_view text, Field::Kind kind) {
    const auto are_digits = [](std::string_view digits) { return std::all_of(digits.begin(), digits.end(), is_ascii_digit); };
    if (kind == Field::Kind::tactic) return text.size() == 6 && text.starts_with("TA") && are_digits(text.substr(2));
    if (!text.starts_with('T') || text.size() < 5 || !are_digits(text.substr(1, 4))) return false;
    return text.size() == 5 || (text.size() == 9 && text[5] == '.' && are_digits(text.substr(6)));
}

/// Kinds whose values are never addresses: a network test on them could not match.
bool may_hold_address(std::string_view kind) {
    constexpr std::string_view other[] = {"account", "mailbox", "file", "process", "url", "domain", "app", "cloud_resource"};
    return std::find(std::begin(other), std::end(other), kind) == std::end(other);
}

}  // namespace

Result<CompiledTest> CompiledTest::make(FieldTest test) {
    CompiledTest compiled{std::move(test)};
    if (auto fault = compiled.prepare()) return *std::move(fault);
    return compiled;
}

std::optional<Fault> CompiledTest::prepare() {
    const auto& operands = test_.operands;
    if (operands.empty()) return Fault{FaultCode::missing, "", "an operator needs at least one value"};
    if ((is_ordering(test_.op) || test_.op == Operator::exists) && operands.size() > 1) {
        return Fault{FaultCode::wrong_type, "", "this operator takes one value, not a list"};
    }
    is_negated_ = test_.op == Operator::not_any_of;
    if (test_.op == Operator::exists) {
        const auto* wanted = std::get_if<bool>(&operands.front());
        if (wanted == nullptr) return Fault{FaultCode::wrong_type, "/0", "exists takes true or false"};
        is_negated_ = !*wanted;
        severities_ = ~0u;
        return std::nullopt;
    }
    switch (test_.field.kind) {
        case Field::Kind::severity: return prepare_severity();
        case Field::Kind::confidence:
        case Field::Kind::count: return prepare_number();
        default: return prepare_text();
    }
}

std::optional<Fault> CompiledTest::prepare_severity() {
    if (!is_equality(test_.op) && !is_ordering(test_.op)) {
        return not_applicable(test_.field, "is one of four ordered words", "values, not, gt, gte, lt, lte and exists");
    }
    for (std::size_t index = 0; index < test_.operands.size(); ++index) {
        const auto* word = std::get_if<std::string>(&test_.operands[index]);
        if (word == nullptr) return Fault{FaultCode::wrong_type, pointer_to(index), "a severity is one of the words informational, low, medium, high"};
        const auto severity = severity_from(*word);
        if (!severity) return Fault{FaultCode::out_of_range, pointer_to(index), "severities are informational, low, medium and high"};
        const auto bound = static_cast<unsigned>(*severity);
        for (unsigned candidate = 0; candidate < 4; ++candidate) {
            const bool satisfies = test_.op == Operator::gt    ? candidate > bound
                                   : test_.op == Operator::gte ? candidate >= bound
                                   : test_.op == Operator::lt  ? candidate < bound
                                   : test_.op == Operator::lte ? candidate <= bound
                                                               : candidate == bound;
            if (satisfies) severities_ |= 1u << candidate;
        }
    }
    return std::nullopt;
}

std::optional<Fault> CompiledTest::prepare_number() {
    if (!is_equality(test_.op) && !is_ordering(test_.op)) return not_applicable(test_.field, "is a number", "values, not, gt, gte, lt, lte and exists");
    const bool is_count = test_.field.kind == Field::Kind::count;
    for (std::size_t index = 0; index < test_.operands.size(); ++index) {
        const auto* number = std::get_if<double>(&test_.operands[index]);
        if (number == nullptr) return Fault{FaultCode::wrong_type, pointer_to(index), test_.field.written() + " is compared with numbers"};
        if (!is_count && !(*number >= 0 && *number <= 1)) return Fault{FaultCode::out_of_range, pointer_to(index), "a confidence is between 0 and 1"};
        if (is_count && !std::isfinite(*number)) return Fault{FaultCode::out_of_range, pointer_to(index), "a count is a finite number"};
        if (is_count && is_equality(test_.op) && !(*number >= 1 && std::trunc(*number) == *number)) {
            return Fault{FaultCode::out_of_range, pointer_to(index), "a count is a whole number from 1 on"};
        }
        numbers_.push_back(*number);
    }
    sort_set(numbers_);
    return std::nullopt;
}

std::optional<Fault> CompiledTest::prepare_text() {
    const Field& field = test_.field;
    const bool is_attribute = field.kind == Field::Kind::attribute;
    if (is_ordering(test_.op) && !is_attribute) {
        return not_applicable(field, "is text", "values, not, prefix, suffix, contains, matches, in_list and exists");
    }
    if (test_.op == Operator::cidr && !is_attribute && !(field.kind == Field::Kind::entity && may_hold_address(field.path))) {
        return not_applicable(field, "holds no addresses", "no cidr; entities.ip, entities.host and attributes do");
    }
    for (std::size_t index = 0; index < test_.operands.size(); ++index) {
        auto& operand = test_.operands[index];
        if (is_attribute && (is_equality(test_.op) || is_ordering(test_.op))) {
            if (const auto* number = std::get_if<double>(&operand)) {
                if (!std::isfinite(*number)) return Fault{FaultCode::out_of_range, pointer_to(index), "a number must be finite"};
                numbers_.push_back(*number);
                continue;
            }
            if (is_ordering(test_.op)) return Fault{FaultCode::wrong_type, pointer_to(index), "gt, gte, lt and lte compare with a number"};
            if (const auto* flag = std::get_if<bool>(&operand)) {
                (*flag ? takes_true_ : takes_false_) = true;
                continue;
            }
        }
        auto* text = std::get_if<std::string>(&operand);
        if (text == nullptr) return Fault{FaultCode::wrong_type, pointer_to(index), field.written() + " is compared with text here"};
        if (text->empty() && !is_equality(test_.op)) return Fault{FaultCode::out_of_range, pointer_to(index), "an empty text is in every value"};
        if (test_.op == Operator::matches) {
            if (auto fault = prepare_expression(*text, index)) return fault;
            continue;
        }
        if (test_.op == Operator::cidr) {
            if (auto fault = prepare_network(*text, index)) return fault;
            continue;
        }
        if (field.kind == Field::Kind::entity && test_.op != Operator::in_list) {
            *text = is_equality(test_.op) ? canonical(field.path, *text).value : canonical_part(field.path, *text);
            if (is_equality(test_.op) && field.path == "ip" && !IpAddress::parse(*text) && !is_placeholder(*text)) {
                return Fault{FaultCode::malformed, pointer_to(index), "\"" + *text + "\" is no address; networks are written {cidr: …}"};
            }
        }
        const bool is_attack_field = field.kind == Field::Kind::tactic || field.kind == Field::Kind::technique;
        if (is_attack_field && is_equality(test_.op) && !is_attack_id(*text, field.kind)) {
            return Fault{FaultCode::malformed, pointer_to(index),
                         "\"" + *text + "\" is no ATT&CK id; they are written " + (field.kind == Field::Kind::tactic ? "TA0001" : "T1078 or T1078.004")};
        }
        texts_.push_back(*text);
    }
    sort_set(numbers_);
    sort_set(texts_);
    return std::nullopt;
}

std::optional<Fault> CompiledTest::prepare_expression(const std::string& operand, std::size_t index) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(expression_memory);
    options.set_never_capture(true);
    auto expression = std::make_shared<const re2::RE2>(operand, options);
    if (!expression->ok()) return Fault{FaultCode::malformed, pointer_to(index), "not an RE2 regular expression: " + expression->error()};
    expressions_.push_back(std::move(expression));
    return std::nullopt;
}

std::optional<Fault> CompiledTest::prepare_network(const std::string& operand, std::size_t index) {
    const auto network = IpNetwork::parse(operand);
    if (!network) return Fault{FaultCode::malformed, pointer_to(index), "a network is written as 10.0.0.0/8 or 2001:db8::/32"};
    networks_.push_back(*network);
    return std::nullopt;
}

}  // namespace catenary::engine
