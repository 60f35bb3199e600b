#pragma once

#include "engine/model/signal.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace catenary::oracle {

/// What grouping reads of a finding.
struct Reported {
    std::string pattern;
    engine::Timestamp start;
    std::string id;
    engine::Timestamp end;
    std::set<engine::SignalRef> evidence;
};

/// The findings of each incident, by id, as they are where nobody merged, split or closed any (semantics.md 10). Of the incidents that findings of one pattern
/// open on one event day, `daily_limit` stand alone, and what would open a further one joins one aggregate, which evidence leads nobody into (guarantees.md, caps).
std::set<std::set<std::string>> incidents(std::vector<Reported> findings, std::int64_t daily_limit = 10'000);

}  // namespace catenary::oracle
