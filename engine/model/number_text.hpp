#pragma once

#include <string>

namespace catenary::engine {

/// The shortest decimal text that reads back as the same number; whole numbers up to 2^53 without an exponent. Negative zero is "0".
std::string number_text(double number);

}  // namespace catenary::engine
