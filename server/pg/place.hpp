#pragma once

#include "server/pg/store_error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::pg {

// Where a page of a keyset list begins: the sort key of the last row of the page before, as text for api::ports::PageRequest::after.

/// Any texts, each with its length, so that none needs escaping.
std::string place_text(const std::vector<std::string>& parts);
/// Empty unless `text` holds exactly `count` parts.
std::optional<std::vector<std::string>> place_from(std::string_view text, std::size_t count);
/// For a text that is no place in the list that was asked for.
StoreError foreign_cursor();

}  // namespace catenary::server::pg
