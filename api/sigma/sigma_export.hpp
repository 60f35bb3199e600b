#pragma once

#include "api/documents/pattern_document.hpp"
#include "engine/model/result.hpp"

#include <string>

namespace catenary::api::sigma {

/// A pattern as a YAML stream of Sigma rules: one that selects signals for each stage, one that counts for each repeated stage, and the one that joins them.
/// `import_rules` makes the same pattern of it. Faults (pointers into the pattern document) where Sigma has no word for something; then the text is empty.
struct SigmaText {
    std::string text;
    engine::Faults faults;
};
SigmaText export_pattern(const documents::PatternDocument& document);

}  // namespace catenary::api::sigma
