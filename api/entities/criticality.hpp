#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace catenary::api::entities {

/// How much it would cost the organisation to lose an entity to an attacker, as administrators rate it. Stored as its number.
enum class Criticality { low = 1, medium, high, critical };

inline constexpr std::array<std::string_view, 4> criticality_words{"low", "medium", "high", "critical"};  // in the order of the numbers

constexpr std::string_view to_string(Criticality criticality) { return criticality_words.at(static_cast<std::size_t>(criticality) - 1); }
constexpr Criticality criticality_at(std::size_t word) { return static_cast<Criticality>(word + 1); }

/// Empty for a number that no rating has.
constexpr std::optional<Criticality> criticality_of(int number) {
    if (number < 1 || number > static_cast<int>(criticality_words.size())) return std::nullopt;
    return static_cast<Criticality>(number);
}

}  // namespace catenary::api::entities
