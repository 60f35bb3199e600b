#pragma once

#include "api/documents/pattern_document.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::catalogue {

/// How one story of a pattern's `examples` ended.
struct ExampleOutcome {
    bool must_match;    ///< which list it is in
    std::size_t index;  ///< within that list
    bool passed;
    std::string detail;     ///< what happened where it did not pass: the first stage that failed, or what matched all the same
    engine::Faults faults;  ///< of its signals, pointers from the document's root; such a story did not run and has not passed
};

/// Tells each story of the document to an engine of its own that knows this pattern only: signals are checked as posted ones are, applied in the order
/// written, and event time then passes far beyond them. A story matches when there is an open finding in the end. Nothing is kept.
std::vector<ExampleOutcome> run_examples(const documents::PatternDocument& document);

}  // namespace catenary::api::catalogue
