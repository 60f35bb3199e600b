#pragma once

#include <map>
#include <string>
#include <string_view>

namespace catenary::api::documents {

/// Where the values of a document stand in its text.
class YamlLines {
public:
    /// `text` was accepted by read_document, in either syntax; of other text only the part before its first fault is known.
    explicit YamlLines(std::string_view text);
    /// Line, from 1, of the member or item at a JSON pointer; of the nearest one around it where it does not exist; 0 when the text is none.
    int line_of(std::string_view pointer) const;

private:
    std::map<std::string, int, std::less<>> lines_;
};

}  // namespace catenary::api::documents
