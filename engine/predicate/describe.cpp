#include "engine/model/number_text.hpp"
#include "engine/predicate/node.hpp"

namespace catenary::engine {
namespace {

using Operator = FieldTest::Operator;

std::string text_of(const Scalar& operand) {
    if (const auto* text = std::get_if<std::string>(&operand)) return *text;
    if (const auto* number = std::get_if<double>(&operand)) return number_text(*number);
    return std::get<bool>(operand) ? "true" : "false";
}

std::string joined(const std::vector<std::string>& texts, std::string_view between) {
    std::string all;
    for (const auto& text : texts) {
        if (!all.empty()) all += between;
        all += text;
    }
    return all;
}

/// "x" alone, "[x, y]" of several, with the word that fits each.
std::string words(const std::vector<Scalar>& operands, std::string_view one, std::string_view several) {
    if (operands.size() == 1) return " " + std::string(one) + " " + text_of(operands.front());
    std::vector<std::string> texts;
    for (const auto& operand : operands) texts.push_back(text_of(operand));
    return " " + std::string(several) + " [" + joined(texts, ", ") + "]";
}

std::string sentence_of(const FieldTest& test) {
    const auto with = [&](std::string_view one, std::string_view several) { return test.field.written() + words(test.operands, one, several); };
    switch (test.op) {
        case Operator::any_of: return with("=", "in");
        case Operator::not_any_of: return with("is not", "not in");
        case Operator::gt: return with(">", ">");
        case Operator::gte: return with(">=", ">=");
        case Operator::lt: return with("<", "<");
        case Operator::lte: return with("<=", "<=");
        case Operator::prefix: return with("starts with", "starts with one of");
        case Operator::suffix: return with("ends with", "ends with one of");
        case Operator::contains: return with("contains", "contains one of");
        case Operator::matches: return with("matches", "matches one of");
        case Operator::cidr: return with("in network", "in one of the networks");
        case Operator::in_list: return with("in watchlist", "in one of the watchlists");
        case Operator::exists: break;
    }
    return test.field.written() + (std::get<bool>(test.operands.front()) ? " exists" : " is absent");
}

}  // namespace

std::string Predicate::Node::sentence() const {
    if (kind == Kind::test) return sentence_of(test->test());
    std::vector<std::string> sentences;
    for (const auto& part : parts) sentences.push_back(part->sentence());
    if (kind == Kind::all) return sentences.empty() ? "anything" : "(" + joined(sentences, " and ") + ")";
    if (kind == Kind::any) return sentences.empty() ? "nothing" : "(" + joined(sentences, " or ") + ")";
    return "none of (" + joined(sentences, "; ") + ")";
}

}  // namespace catenary::engine
