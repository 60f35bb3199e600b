#pragma once

#include <compare>
#include <string>

namespace catenary::engine {

/// Names one entity of a tenant.
struct EntityKey {
    std::string kind;
    std::string value;  ///< canonical (canonical.hpp)
    friend auto operator<=>(const EntityKey&, const EntityKey&) = default;
};

}  // namespace catenary::engine
