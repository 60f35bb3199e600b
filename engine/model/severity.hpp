#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace catenary::engine {

/// Ordered: predicates compare severities.
enum class Severity : std::uint8_t { informational, low, medium, high };

constexpr std::string_view to_string(Severity severity) {
    constexpr std::string_view names[] = {"informational", "low", "medium", "high"};
    return names[static_cast<std::size_t>(severity)];
}
constexpr std::optional<Severity> severity_from(std::string_view name) {
    for (const auto severity : {Severity::informational, Severity::low, Severity::medium, Severity::high}) {
        if (to_string(severity) == name) return severity;
    }
    return std::nullopt;
}

}  // namespace catenary::engine
