#pragma once

#include "engine/model/ids.hpp"

#include <optional>
#include <string>

namespace catenary::server {

/// By what results were made.
struct Understanding {
    std::string engine;      ///< engine::Lane::version
    std::string catalogue;   ///< engine::catalogue_hash
    engine::Position since;  ///< 0: the log read from its begin gives them. Else those up to here were another's, or of a log that was whole then
    bool same_program(const Understanding& other) const { return engine == other.engine && catalogue == other.catalogue; }
    bool operator==(const Understanding&) const = default;
};

/// Where the results that are stored come from.
struct Origin {
    std::optional<Understanding> made_by;  ///< empty: by a program that did not say, or there are none
    bool any_results = false;
    engine::Position gone_until;  ///< some signals with positions up to here are no longer stored; 0: all are
};

}  // namespace catenary::server
