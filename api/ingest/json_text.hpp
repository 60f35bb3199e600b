#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::api::ingest {

/// What can be wrong with the inside of a JSON string whose end is known.
enum class TextFault {
    none,
    escape,     ///< a backslash that begins no escape: no JSON
    nul,        ///< U+0000: PostgreSQL cannot hold it
    surrogate,  ///< half of a surrogate pair: no character
};

/// Appends the characters that the inside of a JSON string stands for. `raw` lies between its quotes and is UTF-8 without control characters.
TextFault decode_text(std::string_view raw, std::string& out);

/// Whether append_quoted() would write the same: no "\/" and no "\u". `raw` as above and without faults.
bool has_shortest_escapes(std::string_view raw);

/// Appends `text` as a JSON string with its quotes and the shortest escapes.
void append_quoted(std::string_view text, std::string& out);

/// Takes minified JSON apart from its front. Made for text that was checked before; on other text it ends early and never reads beyond.
class MinifiedReader {
public:
    explicit MinifiedReader(std::string_view text) : rest_{text} {}

    char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
    bool take(char letter) {
        if (peek() != letter || rest_.empty()) return false;
        rest_.remove_prefix(1);
        return true;
    }
    /// The inside of the string that begins here, as written.
    std::string_view string();
    /// A number, true, false or null.
    std::string_view scalar();
    /// The text of the value that begins here, whatever it is.
    std::string_view value();

private:
    std::string_view taken(std::size_t count);
    std::string_view rest_;
};

}  // namespace catenary::api::ingest
