#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

// What ticket systems answer is read member by member, each of which may be missing or of another type.

namespace catenary::server::tickets {

/// The member as text, whether the system wrote a number or a string; "" when it is neither.
inline std::string text_at(const nlohmann::json& object, const char* name) {
    if (!object.is_object()) return "";
    const auto found = object.find(name);
    if (found == object.end()) return "";
    if (found->is_string()) return found->get<std::string>();
    if (found->is_number_integer()) return std::to_string(found->get<std::int64_t>());
    return "";
}

/// The member, null when there is none.
inline const nlohmann::json& member(const nlohmann::json& object, const char* name) {
    static const nlohmann::json none;
    if (!object.is_object()) return none;
    const auto found = object.find(name);
    return found == object.end() ? none : *found;
}

}  // namespace catenary::server::tickets
