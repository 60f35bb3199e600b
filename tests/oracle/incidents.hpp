#pragma once

#include "engine/model/signal.hpp"

#include <set>
#include <string>
#include <vector>

namespace catenary::oracle {

/// What grouping reads of a finding.
struct Reported {
    engine::Timestamp start;
    std::string id;
    engine::Timestamp end;
    std::set<engine::SignalRef> evidence;
};

/// The findings of each incident, by id, as they are where nobody merged, split or closed any (semantics.md 10).
std::set<std::set<std::string>> incidents(std::vector<Reported> findings);

}  // namespace catenary::oracle
