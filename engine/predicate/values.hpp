#pragma once

#include "engine/predicate/predicate.hpp"

#include <algorithm>

// Walks the values of a field without copying them. The one place that knows where a signal keeps what a field names.

namespace catenary::engine {

/// Whether `accepts` holds for any value of an `attributes` path; it is given the AttributeValue.
template <class F>
bool any_attribute(const Field& field, const SignalView& signal, F accepts) {
    return std::any_of(signal.attributes.begin(), signal.attributes.end(),
                       [&](const Attribute& leaf) { return leaf.path == field.path && accepts(leaf.value); });
}

/// Whether `accepts` holds for any value that is text; it is given a string_view. Severity, confidence and count have none.
template <class F>
bool any_text(const Field& field, const SignalView& signal, F accepts) {
    const auto any_in = [&](std::span<const std::string> texts) { return std::any_of(texts.begin(), texts.end(), accepts); };
    switch (field.kind) {
        case Field::Kind::domain: return accepts(signal.domain);
        case Field::Kind::source: return accepts(signal.source);
        case Field::Kind::name: return accepts(signal.name);
        case Field::Kind::tactic: return any_in(signal.tactics);
        case Field::Kind::technique: return any_in(signal.techniques);
        case Field::Kind::entity:
            return std::any_of(signal.entities.begin(), signal.entities.end(),
                               [&](const EntityView& entity) { return entity.kind == field.path && accepts(entity.value); });
        case Field::Kind::attribute:
            return any_attribute(field, signal, [&](const AttributeValue& value) {
                const auto* text = std::get_if<std::string>(&value);
                return text != nullptr && accepts(std::string_view{*text});
            });
        case Field::Kind::severity:
        case Field::Kind::confidence:
        case Field::Kind::count: break;
    }
    return false;
}

}  // namespace catenary::engine
