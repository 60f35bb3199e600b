#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace catenary::server {

/// What `catenary patterns` prints, and its exit code: 0 when everything is in order, 1 when a document has faults or an example ended otherwise than it
/// should, 2 when something could not be read.
struct PatternFilesReport {
    std::string text;
    int exit_code = 0;
};

/// Reads each path as pattern documents: a file (YAML, or JSON where its name ends in .json), the .yaml, .yml and .json files below a folder, or `input`
/// for "-". One line a fault with file, line, pointer and what would be right, or one line that says the file is in order. Signals of examples are
/// checked too, stories are not run.
PatternFilesReport check_pattern_files(const std::vector<std::string>& paths, std::istream& input);

/// The same, and runs the stories of `examples` through the engine: one line a story, with what happened where it is not what the document says.
PatternFilesReport test_pattern_files(const std::vector<std::string>& paths, std::istream& input);

}  // namespace catenary::server
