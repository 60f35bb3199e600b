#include "server/pg/place.hpp"

#include <charconv>

namespace catenary::server::pg {

std::string place_text(const std::vector<std::string>& parts) {
    std::string text;
    for (const auto& part : parts) text += std::to_string(part.size()) + ':' + part;
    return text;
}

std::optional<std::vector<std::string>> place_from(std::string_view text, std::size_t count) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        std::size_t size = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
        if (error != std::errc{} || end == text.data() + text.size() || *end != ':') return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
        if (size > text.size()) return std::nullopt;
        parts.emplace_back(text.substr(0, size));
        text.remove_prefix(size);
    }
    if (parts.size() != count) return std::nullopt;
    return parts;
}

StoreError foreign_cursor() { return {StoreErrorCode::invalid, "the cursor does not belong to this list"}; }

}  // namespace catenary::server::pg
