#pragma once

#include <string_view>

namespace catenary::api::json {

/// False for a JSON number without fraction and exponent that a double cannot hold exactly, such as 9007199254740993. Everything with a fraction or
/// an exponent is an approximation by nature and true. `token` is a valid JSON number.
bool is_exact_number(std::string_view token);

}  // namespace catenary::api::json
