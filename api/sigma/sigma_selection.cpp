#include "api/sigma/sigma_selection.hpp"

#include "api/documents/members.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

namespace catenary::api::sigma {

using documents::in_quotes;
using documents::Place;
using engine::FaultCode;
using nlohmann::json;

namespace {

/// Our operators and Sigma's modifiers that mean the same. Sigma compares without case unless `cased` says otherwise, which it always does here.
struct Modifier {
    std::string_view ours;
    std::string_view sigma;
};
constexpr std::array<Modifier, 10> modifiers{{{"prefix", "startswith"},
                                              {"suffix", "endswith"},
                                              {"contains", "contains"},
                                              {"matches", "re"},
                                              {"cidr", "cidr"},
                                              {"exists", "exists"},
                                              {"gt", "gt"},
                                              {"gte", "gte"},
                                              {"lt", "lt"},
                                              {"lte", "lte"}}};
constexpr std::string_view cased = "cased";
constexpr std::string_view selection = "selection";

bool compares_text(std::string_view ours) { return ours.empty() || ours == "prefix" || ours == "suffix" || ours == "contains"; }

/// In Sigma's text `*` and `?` stand for any characters.
bool is_literal(const json& value) {
    if (value.is_array()) return std::ranges::all_of(value, is_literal);
    return !value.is_string() || value.get_ref<const std::string&>().find_first_of("*?\\") == std::string::npos;
}

bool is_simple(const json& value) {
    if (value.is_array()) return std::ranges::all_of(value, [](const json& item) { return item.is_primitive() && !item.is_null(); });
    return value.is_primitive() && !value.is_null();
}

void put(json& predicate, const std::string& field, std::string_view ours, const json& value) {
    if (ours.empty()) predicate[field] = value;
    else predicate[field][std::string{ours}] = value;
}

}  // namespace

bool selects_signals(const json& rule) {
    const auto* source = rule.is_object() ? documents::optional_member(rule, "logsource") : nullptr;
    return source != nullptr && source->is_object() && source->value("product", json{}) == own_product;
}

std::optional<json> predicate_of(const Place& place, const json& detection) {
    if (!detection.is_object() || detection.size() != 2 || !detection.contains(selection) || detection.value("condition", json{}) != selection) {
        place.fault(FaultCode::unsupported, "of signals a rule takes one selection: {\"selection\": {…}, \"condition\": \"selection\"}");
        return std::nullopt;
    }
    const auto inside = place.member(selection);
    const auto& chosen = detection[std::string{selection}];
    if (!chosen.is_object() || chosen.empty()) {
        inside.fault(FaultCode::wrong_type, "a selection is an object of fields of signals");
        return std::nullopt;
    }
    json predicate = json::object();
    bool sound = true;
    for (const auto& [key, value] : chosen.items()) {
        const auto at = inside.member(key);
        const auto bar = key.find('|');
        const auto field = key.substr(0, bar);
        auto word = bar == std::string::npos ? std::string_view{} : std::string_view{key}.substr(bar + 1);
        if (word == cased) word = {};
        if (word.ends_with("|cased")) word.remove_suffix(6);
        const auto modifier = std::ranges::find(modifiers, word, &Modifier::sigma);
        if (!word.empty() && modifier == modifiers.end()) {
            at.fault(FaultCode::unsupported,
                     "the modifier " + in_quotes(word) + " is not among startswith, endswith, contains, re, cidr, exists, gt, gte, lt, lte, cased");
        } else if (!is_simple(value) || !is_literal(value)) {
            at.fault(FaultCode::unsupported, "a value is a scalar or a list of scalars, without * and ?");
        } else if (predicate.contains(field) && (word.empty() || !predicate[field].is_object())) {
            at.fault(FaultCode::conflict, in_quotes(field) + " is selected twice");
        } else {
            put(predicate, field, word.empty() ? std::string_view{} : modifier->ours, value);
            continue;
        }
        sound = false;
    }
    return sound ? std::optional{std::move(predicate)} : std::nullopt;
}

std::optional<nlohmann::ordered_json> detection_of(const Place& place, const json& predicate) {
    nlohmann::ordered_json chosen = nlohmann::ordered_json::object();
    bool sound = true;
    const auto add = [&](const Place& at, const std::string& field, std::string_view ours, const json& value) {
        const auto modifier = std::ranges::find(modifiers, ours, &Modifier::ours);
        if ((!ours.empty() && modifier == modifiers.end()) || !is_simple(value)) {
            at.fault(FaultCode::unsupported, fmt::format("Sigma has no modifier that says {}", in_quotes(ours.empty() ? field : ours)));
        } else if (compares_text(ours) && !is_literal(value)) {
            at.fault(FaultCode::unsupported, "the text holds *, ? or \\, which stand for other characters in Sigma");
        } else {
            auto key = ours.empty() ? field : field + "|" + std::string{modifier->sigma};
            if (compares_text(ours)) key += "|" + std::string{cased};
            chosen[key] = value;
            return;
        }
        sound = false;
    };
    for (const auto& [name, value] : predicate.items()) {
        const auto at = place.member(name);
        if (name == "all_of" || name == "any_of" || name == "none_of") {
            at.fault(FaultCode::unsupported, in_quotes(name) + " is not written as a selection");
            sound = false;
        } else if (value.is_object()) {
            for (const auto& [word, operand] : value.items()) add(at.member(word), name, word, operand);
        } else {
            add(at, name, "", value);
        }
    }
    if (chosen.empty() && sound) {
        place.fault(FaultCode::unsupported, "a selection of every signal is not written in Sigma");
        sound = false;
    }
    if (!sound) return std::nullopt;
    return nlohmann::ordered_json{{selection, std::move(chosen)}, {"condition", selection}};
}

}  // namespace catenary::api::sigma
