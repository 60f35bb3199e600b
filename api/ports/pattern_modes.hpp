#pragma once

#include "api/ports/ports.hpp"

namespace catenary::api::ports {

/// How a version of a pattern runs now. `pattern`: the newest version.
inline engine::Mode mode_of(const PatternVersion& pattern, std::int32_t version) {
    if (pattern.production == version) return engine::Mode::production;
    return pattern.flighting == version ? engine::Mode::flighting : engine::Mode::off;
}

/// What runs once a version has a mode, as the engine decides it (Tenant::change_pattern): one that comes into production ends every other, one on trial ends
/// another that is on trial, `off` ends all.
inline void give_mode(PatternVersion& pattern, std::int32_t version, engine::Mode mode) {
    if (mode != engine::Mode::flighting || pattern.production == version) pattern.production.reset();
    pattern.flighting.reset();
    if (mode == engine::Mode::production) pattern.production = version;
    if (mode == engine::Mode::flighting) pattern.flighting = version;
    pattern.mode = mode_of(pattern, pattern.version);
}

}  // namespace catenary::api::ports
