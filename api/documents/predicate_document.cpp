#include "api/documents/predicate_document.hpp"

#include "api/documents/members.hpp"
#include "api/documents/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace catenary::api::documents {

using engine::FaultCode;
using engine::Field;
using engine::FieldTest;
using engine::Predicate;
using nlohmann::json;
using Operator = engine::FieldTest::Operator;

namespace {

constexpr std::size_t most_parts = 100;      ///< predicates in one all_of, any_of, none_of
constexpr std::size_t most_operands = 1000;  ///< values in one list
constexpr std::size_t most_matches = 32;     ///< compiled regular expressions in one predicate: each may take megabytes
constexpr std::size_t most_operand_bytes = 1024;

constexpr std::array<std::string_view, 3> combinators{"all_of", "any_of", "none_of"};
constexpr std::array<std::string_view, 13> predicate_words{
    "domain",          "source", "name",   "tactic", "technique", "severity", "confidence", "count", "attributes.<path>",
    "entities.<kind>", "all_of", "any_of", "none_of"};
struct OperatorWord {
    std::string_view word;
    Operator op;
};
constexpr std::array<OperatorWord, 12> operators{{{"gt", Operator::gt},
                                                  {"gte", Operator::gte},
                                                  {"lt", Operator::lt},
                                                  {"lte", Operator::lte},
                                                  {"not", Operator::not_any_of},
                                                  {"prefix", Operator::prefix},
                                                  {"suffix", Operator::suffix},
                                                  {"contains", Operator::contains},
                                                  {"matches", Operator::matches},
                                                  {"cidr", Operator::cidr},
                                                  {"exists", Operator::exists},
                                                  {"in_list", Operator::in_list}}};
constexpr auto operator_words = [] {
    std::array<std::string_view, operators.size()> words;
    std::ranges::transform(operators, words.begin(), &OperatorWord::word);
    return words;
}();

const Vocabulary of_signals{predicate_words, &Field::parse};

std::string name_suggestion(std::string_view given, std::span<const std::string_view> words) {
    constexpr std::array<std::string_view, 2> heads{"attributes", "entities"};
    const auto dot = given.find('.');
    if (dot == std::string_view::npos) return suggestion(given, words);
    return suggestion(given.substr(0, dot), heads);
}

bool takes_list(Operator op) {
    switch (op) {
        case Operator::gt:
        case Operator::gte:
        case Operator::lt:
        case Operator::lte:
        case Operator::exists: return false;
        default: return true;
    }
}

class PredicateReader {
public:
    explicit PredicateReader(const Vocabulary& vocabulary) : vocabulary_{vocabulary} {}

    std::optional<PredicateDocument> object(const Place& place, const json& document) {
        if (!document.is_object()) {
            place.fault(FaultCode::wrong_type, fmt::format("a predicate is an object, not {}", type_name(document)));
            return std::nullopt;
        }
        std::vector<Predicate> parts;
        json normal = json::object();
        bool sound = true;
        for (const auto& [name, value] : document.items()) {
            auto part = std::ranges::find(combinators, name) != combinators.end() ? combined(place.member(name), name, value) : field(place, name, value);
            if (!part) {
                sound = false;
                continue;
            }
            parts.push_back(std::move(part->predicate));
            normal[name] = std::move(part->normal);
        }
        if (!sound) return std::nullopt;
        return PredicateDocument{parts.empty() ? Predicate{} : conjunction(std::move(parts)), std::move(normal)};
    }

private:
    static Predicate conjunction(std::vector<Predicate> parts) { return parts.size() == 1 ? std::move(parts.front()) : Predicate::all_of(std::move(parts)); }

    std::optional<PredicateDocument> combined(const Place& place, std::string_view combinator, const json& value) {
        const auto* list = read_list(place, value, 1, most_parts);
        if (list == nullptr) return std::nullopt;
        std::vector<Predicate> parts;
        json normal = json::array();
        for (std::size_t i = 0; i < list->size(); ++i) {
            auto part = object(place.item(i), (*list)[i]);
            if (!part) continue;
            parts.push_back(std::move(part->predicate));
            normal.push_back(std::move(part->normal));
        }
        if (parts.size() != list->size()) return std::nullopt;
        auto predicate = combinator == "all_of"   ? Predicate::all_of(std::move(parts))
                         : combinator == "any_of" ? Predicate::any_of(std::move(parts))
                                                  : Predicate::none_of(std::move(parts));
        return PredicateDocument{std::move(predicate), std::move(normal)};
    }

    std::optional<PredicateDocument> field(const Place& around, const std::string& name, const json& value) {
        const auto place = around.member(name);
        const auto parsed = vocabulary_.field(name);
        if (!parsed) {
            place.fault(parsed.error().code, "unknown field " + in_quotes(name) + name_suggestion(name, vocabulary_.words));
            return std::nullopt;
        }
        if (value.is_object()) return operator_object(place, *parsed, value);
        return test(place, *parsed, Operator::any_of, value);
    }

    std::optional<PredicateDocument> operator_object(const Place& place, const Field& field, const json& value) {
        if (value.empty()) {
            place.fault(FaultCode::missing, "an operator object names at least one operator" + suggestion("", operator_words));
            return std::nullopt;
        }
        std::vector<Predicate> parts;
        json normal = json::object();
        for (const auto& [word, operand] : value.items()) {
            const auto at = place.member(word);
            const auto known = std::ranges::find(operators, word, &OperatorWord::word);
            if (known == operators.end()) {
                at.fault(FaultCode::unknown_field, "unknown operator " + in_quotes(word) + suggestion(word, operator_words));
                continue;
            }
            auto part = known->op == Operator::not_any_of && operand.is_object() ? negated(at, field, operand) : test(at, field, known->op, operand);
            if (!part) continue;
            parts.push_back(std::move(part->predicate));
            normal[word] = std::move(part->normal);
        }
        if (parts.size() != value.size()) return std::nullopt;
        return PredicateDocument{conjunction(std::move(parts)), std::move(normal)};
    }

    std::optional<PredicateDocument> negated(const Place& place, const Field& field, const json& operand) {
        auto inner = operator_object(place, field, operand);
        if (!inner) return std::nullopt;
        std::vector<Predicate> parts;
        parts.push_back(std::move(inner->predicate));
        return PredicateDocument{Predicate::none_of(std::move(parts)), std::move(inner->normal)};
    }

    std::optional<PredicateDocument> test(const Place& place, const Field& field, Operator op, const json& value) {
        if (op == Operator::matches && (matches_ += value.is_array() ? value.size() : 1) > most_matches) {
            place.fault(FaultCode::too_large, fmt::format("a predicate has at most {} regular expressions", most_matches));
            return std::nullopt;
        }
        FieldTest wanted{field, op, {}};
        if (!value.is_array()) {
            auto operand = scalar(place, op, value);
            if (!operand) return std::nullopt;
            wanted.operands.push_back(std::move(*operand));
        } else if (!takes_list(op)) {
            place.fault(FaultCode::wrong_type, "this operator takes one value, not a list");
            return std::nullopt;
        } else {
            if (read_list(place, value, 1, most_operands) == nullptr) return std::nullopt;
            for (std::size_t i = 0; i < value.size(); ++i) {
                if (auto operand = scalar(place.item(i), op, value[i])) wanted.operands.push_back(std::move(*operand));
            }
            if (wanted.operands.size() != value.size()) return std::nullopt;
        }
        auto predicate = Predicate::test(std::move(wanted));
        if (!predicate) {
            const auto& fault = predicate.error();  // its pointer names an operand, which a scalar does not need
            place.below(value.is_array() ? fault.pointer : "").fault(fault.code, fault.detail);
            return std::nullopt;
        }
        return PredicateDocument{std::move(*predicate), value.is_array() && value.size() == 1 ? value.front() : value};
    }

    static std::optional<engine::Scalar> scalar(const Place& place, Operator op, const json& value) {
        if (op == Operator::exists && !value.is_boolean()) {
            place.fault(FaultCode::wrong_type, fmt::format("exists is true or false, not {}", type_name(value)));
            return std::nullopt;
        }
        if (value.is_boolean()) return engine::Scalar{value.get<bool>()};
        if (value.is_number()) return engine::Scalar{value.get<double>()};
        if (!value.is_string()) {
            place.fault(FaultCode::wrong_type, fmt::format("must be a string, a number, true or false, not {}", type_name(value)));
            return std::nullopt;
        }
        const auto& text = value.get_ref<const std::string&>();
        if (text.size() <= most_operand_bytes) return engine::Scalar{text};
        place.fault(FaultCode::too_large, fmt::format("must have at most {} bytes, not {}", most_operand_bytes, text.size()));
        return std::nullopt;
    }

    const Vocabulary& vocabulary_;
    std::size_t matches_ = 0;
};

}  // namespace

std::string field_suggestion(std::string_view given, bool and_combinators) {
    const std::span<const std::string_view> words{predicate_words};
    return name_suggestion(given, and_combinators ? words : words.first(words.size() - combinators.size()));
}

std::optional<PredicateDocument> predicate_from_json(const Place& place, const json& document) { return predicate_from_json(place, document, of_signals); }

std::optional<PredicateDocument> predicate_from_json(const Place& place, const json& document, const Vocabulary& vocabulary) {
    return PredicateReader{vocabulary}.object(place, document);
}

}  // namespace catenary::api::documents
