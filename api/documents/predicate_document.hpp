#pragma once

#include "api/documents/place.hpp"
#include "engine/predicate/predicate.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace catenary::api::documents {

/// A predicate as read, and the normal form of how it was written.
struct PredicateDocument {
    engine::Predicate predicate;
    nlohmann::json normal;
};

/// The predicate language of patterns, rules, templates, exclusions and queries:
///
///   {field: scalar}            equals          {field: [scalar, …]}   any of them
///   {field: {operator: …, …}}  every operator  {all_of|any_of|none_of: [predicate, …]}
///
/// Members are ANDed; `{}` matches every signal. Operators: `gt gte lt lte` (one number; severity takes severity names), `not` (a scalar, a list, or
/// an operator object), `prefix suffix contains matches cidr in_list` (a string, or a list: any of them), `exists` (true or false). Every fault goes
/// to `place`, unknown words with the nearest known one. Empty when there was any.
std::optional<PredicateDocument> predicate_from_json(const Place& place, const nlohmann::json& document);

/// The end of the sentence about a word that names no field (and no combinator, where one may stand): also finds slips in front of the dot, `attribute.x`.
std::string field_suggestion(std::string_view given, bool and_combinators);
/// What the members of a predicate may name, where it is not about signals.
struct Vocabulary {
    std::span<const std::string_view> words;  ///< fields and combinators, for suggestions
    engine::Result<engine::Field> (*field)(std::string_view written);
};
std::optional<PredicateDocument> predicate_from_json(const Place& place, const nlohmann::json& document, const Vocabulary& vocabulary);

}  // namespace catenary::api::documents
