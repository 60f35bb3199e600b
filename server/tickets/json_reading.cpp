#include "server/tickets/json_reading.hpp"

#include <charconv>

namespace catenary::server::tickets {

using Json = nlohmann::json;

std::string text_at(const Json& object, std::string_view name) {
    const auto& found = member(object, name);
    if (found.is_string()) return found.get<std::string>();
    if (found.is_number_integer()) return std::to_string(found.get<std::int64_t>());
    return "";
}

const Json& member(const Json& object, std::string_view name) {
    static const Json none;
    if (!object.is_object()) return none;
    const auto found = object.find(name);
    return found == object.end() ? none : *found;
}

std::int64_t number_from(const std::string& id) {
    std::int64_t number = 0;
    std::from_chars(id.data(), id.data() + id.size(), number);
    return number;
}

std::string shortened(std::string text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80U) --most;
    text.resize(most);
    return text;
}

}  // namespace catenary::server::tickets
