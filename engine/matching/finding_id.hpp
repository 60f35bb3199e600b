#pragma once

#include "engine/matching/window.hpp"
#include "engine/model/ids.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace catenary::engine {

/// What a finding is named after.
struct FindingName {
    SignalHandle anchor;
    std::optional<Timestamp> late_start = std::nullopt;  ///< of a finding that an instance with late signals opened: that instance's start
    std::size_t rank = 1;                                ///< 2, 3, … for further findings of one connected set with the same anchor and late start
    friend bool operator==(const FindingName&, const FindingName&) = default;
};

/// A name-based UUID of "identity/anchor time in µs/anchor source/anchor id", followed by "/late/start in µs" and "/rank" where they say something.
FindingId finding_id(std::string_view identity, const SignalWindow& window, const FindingName& name);

}  // namespace catenary::engine
