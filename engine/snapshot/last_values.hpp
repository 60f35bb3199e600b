#pragma once

#include "engine/lane/control.hpp"
#include "engine/snapshot/codec.hpp"

// The greatest enumerators, for enumerations that are read from snapshots.

namespace catenary::engine {

template <>
struct LastEnumerator<Severity> {
    static constexpr Severity value = Severity::high;
};
template <>
struct LastEnumerator<Mode> {
    static constexpr Mode value = Mode::production;
};
template <>
struct LastEnumerator<IncidentStatus> {
    static constexpr IncidentStatus value = IncidentStatus::closed;
};
template <>
struct LastEnumerator<Classification> {
    static constexpr Classification value = Classification::undetermined;
};

template <>
struct LastEnumerator<LinkRule> {
    static constexpr LinkRule value = LinkRule::allow;
};

}  // namespace catenary::engine
