#pragma once

#include "api/ingest/json_text.hpp"

#include <simdjson.h>

#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::api::ingest {

namespace ondemand = simdjson::ondemand;
using Arena = std::pmr::monotonic_buffer_resource;

/// A copy that lives as long as the batch.
std::string_view kept(std::string_view text, Arena& arena);

/// A string or member name as it stands in the body. The parser's first stage has checked its UTF-8, its control characters and that it ends.
struct StringToken {
    std::string_view raw;  ///< between the quotes
    bool escapes = false;  ///< holds backslashes
};
/// Takes the string that `value` is.
StringToken take_string(ondemand::value& value);
StringToken name_of(ondemand::field& field);

/// The characters of a string: of the body itself where nothing is escaped, else decoded into the arena.
struct Text {
    std::string_view characters;
    TextFault fault = TextFault::none;
};
Text text_of(const StringToken& token, Arena& arena, std::string& scratch);
/// What to tell the client.
const char* describe(TextFault fault);

/// A scalar's token without the white space after it; the value is not taken by this.
std::string_view token_of(ondemand::value& value);

/// Whether canonical_json() leaves a number as it is. May say no where it does.
bool is_plain_number(std::string_view token);

}  // namespace catenary::api::ingest
