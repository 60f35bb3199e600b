#pragma once

#include "api/ingest/place.hpp"
#include "engine/model/result.hpp"

#include <cstddef>
#include <string>
#include <utility>

namespace catenary::api::ingest {

/// The faults of one item, the first twenty of them: a longer list helps nobody.
class FaultList {
public:
    void add(engine::FaultCode code, const Place& place, std::string detail) {
        if (faults_.size() < most) faults_.push_back({code, place.pointer(), std::move(detail)});
    }
    void clear() { faults_.clear(); }
    const engine::Faults& all() const { return faults_; }

private:
    static constexpr std::size_t most = 20;
    engine::Faults faults_;
};

}  // namespace catenary::api::ingest
