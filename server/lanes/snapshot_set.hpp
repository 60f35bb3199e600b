#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace catenary::server {

/// When a (source, domain) was heard from last.
struct HeardSource {
    engine::TenantId tenant;
    std::string source;
    std::string domain;
    engine::Timestamp last_event;
    engine::Timestamp last_received;
};

/// All that reading the log up to a position comes to: the engines of the lanes that have tenants, and which sources were heard from.
struct SnapshotSet {
    struct Lane {
        engine::Position done;  ///< of the lane when it was made: its results up to here are part of it
        std::string state;      ///< engine::Lane::save
    };
    engine::Position position;  ///< every entry up to here is in it
    std::map<std::int16_t, Lane> lanes;
    std::vector<HeardSource> sources;
    std::string engine;     ///< engine::Lane::version
    std::string catalogue;  ///< engine::catalogue_hash
};

}  // namespace catenary::server
