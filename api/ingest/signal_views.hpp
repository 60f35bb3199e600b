#pragma once

#include "api/ingest/prepared.hpp"
#include "engine/model/signal.hpp"

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::ingest {

/// Shows prepared signals to the engine, one after the other, in memory that is used again for the next. One thread.
class SignalViews {
public:
    /// Valid until the next call, and no longer than the signal's batch. `paths`: the attribute paths that somebody reads; others are left out.
    const engine::SignalView& of(const PreparedSignal& signal, const std::set<std::string>& paths);

private:
    std::vector<engine::EntityView> entities_;
    std::vector<engine::Attribute> attributes_;
    std::vector<std::string> tactics_;
    std::vector<std::string> techniques_;
    engine::SignalView view_;
};

}  // namespace catenary::api::ingest
