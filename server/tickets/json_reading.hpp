#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace catenary::server::tickets {

/// The member as text, whether the system wrote a number or a string; "" when it is neither.
std::string text_at(const nlohmann::json& object, std::string_view name);
/// The member, null when there is none.
const nlohmann::json& member(const nlohmann::json& object, std::string_view name);
/// The number that an id begins with, 0 when it begins with none.
std::int64_t number_from(const std::string& id);
/// The first `most` bytes or less, ending between characters.
std::string shortened(std::string text, std::size_t most);

}  // namespace catenary::server::tickets
