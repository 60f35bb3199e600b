#pragma once

#include "api/ingest/json_text.hpp"

#include <simdjson.h>

#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::api::ingest {

// A loop keeps what it goes through (`for (ondemand::array entries = …; auto entry : entries)`): `value()` of a result that nobody keeps refers into that result.
namespace ondemand = simdjson::ondemand;
using Arena = std::pmr::monotonic_buffer_resource;

/// A copy that lives as long as the batch.
std::string_view kept(std::string_view text, Arena& arena);

/// A string or member name as it stands in the body. The parser's first stage has checked its UTF-8, its control characters and that it ends.
struct StringToken {
    std::string_view raw;  ///< between the quotes
    bool escapes = false;  ///< holds backslashes
};

/// The characters of a string.
struct Text {
    std::string_view characters;
    TextFault fault = TextFault::none;
};
/// What to tell the client.
const char* describe(TextFault fault);

/// Whether canonical_json() leaves a number as it is. May say no where it does.
bool is_plain_number(std::string_view token);

// A signal has some forty tokens: what follows stays where the compiler can see into it.

/// What an iterator of the parser gave, without the copy: reading it just after it was written piece by piece stalls the processor.
/// Throws simdjson::simdjson_error.
template <class T>
T& taken(simdjson::simdjson_result<T>& entry) {
    if (entry.error() != simdjson::SUCCESS) throw simdjson::simdjson_error(entry.error());
    return const_cast<T&>(entry.value_unsafe());  // `entry` itself is not const
}

/// A scalar's token without the white space after it; the value is not taken by this.
inline std::string_view token_of(ondemand::value& value) {
    auto token = value.raw_json_token();
    while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
    return token;
}

/// Reads the strings of one text at a time. A text without any backslash, as most are, is known once and its strings are not searched again.
class StringReader {
public:
    explicit StringReader(Arena& arena) : arena_{&arena} {}

    void start(std::string_view text) { may_escape_ = text.find('\\') != std::string_view::npos; }

    /// Takes the string that `value` is; throws simdjson::simdjson_error when it is none.
    StringToken take(ondemand::value& value) {
        const auto token = token_of(value);
        static_cast<void>(value.get_raw_json_string().value());  // moves on, throws
        const auto raw = token.substr(1, token.size() - 2);
        return {raw, may_escape_ && raw.find('\\') != std::string_view::npos};
    }
    StringToken name(const ondemand::field& field) const {
        const char* const begin = field.key().raw();
        const char* end = begin;
        bool escapes = false;
        for (; *end != '"'; ++end) {
            if (*end != '\\') continue;
            escapes = true;
            ++end;
        }
        return {{begin, static_cast<std::size_t>(end - begin)}, escapes};
    }
    /// Of the body itself where nothing is escaped, else decoded into the arena.
    Text text(const StringToken& token) { return token.escapes ? decoded(token) : Text{token.raw}; }
    bool may_escape() const { return may_escape_; }
    Arena& arena() { return *arena_; }

private:
    Text decoded(const StringToken& token);

    Arena* arena_;
    bool may_escape_ = true;
    std::string scratch_;
};

}  // namespace catenary::api::ingest
