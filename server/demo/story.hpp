#pragma once

#include <string>
#include <vector>

namespace catenary::server {

/// One working day of a small energy company, 5 March 2026: some 2,000 signals of six domains in time order, one JSON object each, the same on every call. Four
/// intrusions hide in it; most of what else looks suspicious alone (a traveller, a backup job, a forgotten password) leads nowhere.
std::vector<std::string> story();

}  // namespace catenary::server
