#pragma once

#include "engine/incidents/records.hpp"
#include "engine/lane/near_misses.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::json {

// The nested parts of records as text columns hold them: compact JSON, numbers in shortest form, so that reading back what was written gives an
// equal value, every double bit for bit. Not the form of replies (see finding_json.hpp). Strings must be UTF-8, which ingest has checked.
// Reading throws std::invalid_argument on text that these functions have not written: a damaged row, not an input.

std::string score_to_text(const engine::Score& score);
engine::Score score_from_text(std::string_view text);

std::string stages_to_text(const std::vector<engine::StageSummary>& stages);
std::vector<engine::StageSummary> stages_from_text(std::string_view text);

/// What must be absent, and what came late all the same; empty where nothing must be.
std::optional<std::string> absence_to_text(const engine::FindingRecord& finding);
void read_absence(std::string_view text, engine::FindingRecord& finding);

std::string entity_keys_to_text(const std::vector<engine::EntityKey>& entities);
std::vector<engine::EntityKey> entity_keys_from_text(std::string_view text);

std::string chain_stages_to_text(const std::vector<engine::ChainStage>& stages);
std::vector<engine::ChainStage> chain_stages_from_text(std::string_view text);

}  // namespace catenary::api::json
