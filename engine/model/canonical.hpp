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

/// The spelling that a piece of a value (a prefix, suffix or inner part) has inside canonical values: folded where the whole kind is, or where
/// the piece itself shows that it is (a backslash in a path, a URL up to its host). Nothing is trimmed or completed.
std::string canonical_part(std::string_view kind, std::string_view part);

}  // namespace catenary::engine
