#pragma once

#include <compare>
#include <string>

namespace catenary::engine {

/// Names one entity of a tenant.
struct EntityKey {
    std::string kind;
    std::string value;  ///< canonical (canonical.hpp)
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.kind, self.value);
    }
    friend auto operator<=>(const EntityKey&, const EntityKey&) = default;
};

}  // namespace catenary::engine
