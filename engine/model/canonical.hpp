#pragma once

#include <string>
#include <string_view>

namespace catenary::engine {

/// The canonical spelling of an entity and whether it identifies anybody (semantics.md 2). The table per kind is in engine/model/README.md.
struct CanonicalEntity {
    std::string value;
    bool identifies = true;
    bool operator==(const CanonicalEntity&) const = default;
};

/// Pure, idempotent, locale-free: canonical(kind, canonical(kind, v).value) == canonical(kind, v). Unknown kinds are only trimmed of outer white space.
CanonicalEntity canonical(std::string_view kind, std::string_view value);

}  // namespace catenary::engine
