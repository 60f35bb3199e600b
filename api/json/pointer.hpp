#pragma once

#include <string>
#include <string_view>

namespace catenary::api::json {

/// Appends "/name" to a JSON pointer, with '~' and '/' of the name escaped (RFC 6901).
inline void append_token(std::string& pointer, std::string_view name) {
    pointer += '/';
    for (const char letter : name) {
        if (letter == '~') {
            pointer += "~0";
        } else if (letter == '/') {
            pointer += "~1";
        } else {
            pointer += letter;
        }
    }
}

}  // namespace catenary::api::json
