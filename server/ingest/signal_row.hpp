#pragma once

#include "api/ingest/prepared.hpp"
#include "engine/model/signal.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server {

// How a signal's less regular parts lie in its row. `signal.roles` holds one byte an entity; `signal.shown` holds as one JSON object what has no
// column: {"values": {"0": "original spelling"}, "roles": {"2": "a role without a code"}, "title": "…", "aliases": …}, each member only where needed.

/// Code of a role: 0 none, 255 not in the table (spelled in `shown`), else its place in a table that only ever grows at its end.
std::uint8_t role_code(std::string_view role);
/// The role of a code; "" for 0 and for codes without a name.
std::string_view role_name(std::uint8_t code);
inline constexpr std::uint8_t spelled_role = 255;

/// The text of `signal.shown`; "" (stored as null) when nothing is left to say. `title`: the signal's title where the dictionary does not hold it, else "".
std::string shown_text(const api::ingest::PreparedSignal& signal, std::string_view title);

/// `signal.shown` taken apart.
struct ShownParts {
    std::string values_json;                   ///< {"<index of entity>": "original spelling"}; "" when every entity is shown as stored
    std::map<std::size_t, std::string> roles;  ///< of entities whose code is `spelled_role`
    std::string title;                         ///< "" unless the dictionary does not hold it
    std::string aliases_json;                  ///< as posted; "" when none
};
/// Throws std::invalid_argument on text that `shown_text` has not written: a damaged row, not an input.
ShownParts shown_from(std::string_view text);

/// Role of the entity at `index`: from its code, or from `shown` where the code says so.
std::string role_of(std::span<const std::byte> codes, std::size_t index, const ShownParts& shown);

/// The JSON of `finding_evidence.entities`: [{"kind", "value", "role", "identifies"}], and back. Reading throws as above.
std::string mentions_to_text(std::span<const engine::EntityMention> mentions);
std::vector<engine::EntityMention> mentions_from_text(std::string_view text);

}  // namespace catenary::server
