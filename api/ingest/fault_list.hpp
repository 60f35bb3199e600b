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

/// What the refused items of one request may say together: a MiB of pointers and sentences. An item beyond it keeps its first fault alone.
class FaultBudget {
public:
    engine::Faults admit(engine::Faults faults) {
        for (const auto& fault : faults) said_ += fault.pointer.size() + fault.detail.size();
        if (said_ > most_bytes && faults.size() > 1) faults.erase(faults.begin() + 1, faults.end());
        return faults;
    }

private:
    static constexpr std::size_t most_bytes = 1024 * 1024;
    std::size_t said_ = 0;
};

}  // namespace catenary::api::ingest
