#pragma once

#include "api/documents/pattern_document.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::catalogue {

/// A pattern that ships with the program: version 1, in production in every tenant.
struct ShippedPattern {
    std::shared_ptr<const engine::Pattern> pattern;
    std::string document_json;  ///< normal form
};

/// The files of patterns/, by file name; compiled once a process. Tests prove that each parses and that its id is its file's name.
const std::vector<ShippedPattern>& shipped_patterns();

/// By id; null when none of this id ships.
const ShippedPattern* find_shipped(std::string_view id);

}  // namespace catenary::api::catalogue
