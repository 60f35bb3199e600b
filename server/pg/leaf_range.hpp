#pragma once

#include "engine/model/time.hpp"

#include <optional>
#include <string_view>

namespace catenary::server::pg {

/// Event times that one leaf of `signal` holds: from <= time < to.
struct LeafRange {
    engine::Timestamp from;
    engine::Timestamp to;
    bool operator==(const LeafRange&) const = default;
};

/// By the leaf's name, "signal_d20260305" or "signal_y2019" (the schema's leaf_name); empty for any other table.
std::optional<LeafRange> leaf_range(std::string_view table);

}  // namespace catenary::server::pg
