#include "engine/lane/string_pool.hpp"

#include <algorithm>

namespace catenary::engine {

Symbol StringPool::intern(std::string_view text) {
    if (const auto found = index_.find(text); found != index_.end()) return found->second;
    const Symbol symbol{free_.empty() ? static_cast<std::uint32_t>(places_.size()) : free_.back()};
    if (free_.empty()) places_.emplace_back();
    else free_.pop_back();
    Place& place = places_[symbol.value()];
    place = Place{.text = std::string{text}, .is_known = true};
    index_.emplace(place.text, symbol);
    bytes_ += bytes_of(text);
    return symbol;
}

Symbol StringPool::intern_frequent(std::string_view text) {
    const std::size_t known = std::min(frequent_count_, frequent_.size());
    for (std::size_t i = 0; i < known; ++i) {
        if (places_[frequent_[i].value()].text == text) return frequent_[i];
    }
    return frequent_[frequent_count_++ % frequent_.size()] = intern(text);
}

std::optional<Symbol> StringPool::find(std::string_view text) const {
    const auto found = index_.find(text);
    if (found == index_.end()) return std::nullopt;
    return found->second;
}

void StringPool::keep(const std::vector<bool>& named) {
    frequent_count_ = 0;
    for (std::uint32_t i = 0; i < places_.size(); ++i) {
        Place& place = places_[i];
        if (!place.is_known || named[i]) continue;
        index_.erase(place.text);
        bytes_ -= bytes_of(place.text);
        place = Place{};
        free_.push_back(i);
    }
}

}  // namespace catenary::engine
