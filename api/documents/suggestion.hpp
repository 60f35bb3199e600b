#pragma once

#include <span>
#include <string>
#include <string_view>

namespace catenary::api::documents {

/// The end of a sentence about an unknown word: `; did you mean "within"?` where one of `known` is near enough to be a slip of the keyboard,
/// else `; allowed: "a", "b"`. Cost is bounded whatever `given` is.
std::string suggestion(std::string_view given, std::span<const std::string_view> known);

}  // namespace catenary::api::documents
