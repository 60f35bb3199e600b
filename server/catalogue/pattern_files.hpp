#pragma once

#include <string>
#include <vector>

namespace catenary::server {

/// What `catenary patterns` prints, and its exit code: 0 when everything is in order, 1 otherwise.
struct PatternFilesReport {
    std::string text;
    int exit_code = 0;
};

/// Reads each file (YAML, or JSON where its name ends in .json) as a pattern document: one line a fault with file, line, pointer and what would be right,
/// or one line that says the file is in order. Signals of examples are checked too, stories are not run.
PatternFilesReport check_pattern_files(const std::vector<std::string>& files);

/// The same, and runs the stories of `examples` through the engine: one line a story, with what happened where it is not what the document says.
PatternFilesReport test_pattern_files(const std::vector<std::string>& files);

}  // namespace catenary::server
