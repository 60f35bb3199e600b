#pragma once

#include <string>
#include <string_view>

namespace catenary::tests {

/// One gzip member.
std::string gzip(std::string_view text);

}  // namespace catenary::tests
