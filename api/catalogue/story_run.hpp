#pragma once

#include "api/ingest/prepared.hpp"
#include "engine/incidents/records.hpp"
#include "engine/lane/lane.hpp"
#include "engine/matching/pattern.hpp"

#include <vector>

namespace catenary::api::catalogue {

/// What is found in a story in the end, by (start, id), with the first signal of each stage in `stages`. The mode of the pattern does not matter.
std::vector<engine::FindingRecord> findings_in(const ingest::PreparedBatch& story, const engine::Pattern& pattern);

/// The same by an engine that knows all of these, in their modes.
std::vector<engine::FindingRecord> findings_in(const ingest::PreparedBatch& story, const engine::Catalogue& patterns);

/// For a story that nothing was found in: a sentence about the first stage that failed (engine::why_not), for whom of those that it names got furthest.
std::string why_not(const ingest::PreparedBatch& story, const engine::Pattern& pattern);

}  // namespace catenary::api::catalogue
