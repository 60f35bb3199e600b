#include "engine/lane/string_pool.hpp"

#include <algorithm>

namespace catenary::engine {

Symbol StringPool::intern(std::string_view text) {
    if (const auto found = index_.find(text); found != index_.end()) return found->second;
    const Symbol symbol{static_cast<std::uint32_t>(texts_.size())};
    index_.emplace(texts_.emplace_back(text), symbol);
    bytes_ += text.size() + sizeof(std::string) + sizeof(std::pair<std::string_view, Symbol>);
    return symbol;
}

Symbol StringPool::intern_frequent(std::string_view text) {
    const std::size_t known = std::min(frequent_count_, frequent_.size());
    for (std::size_t i = 0; i < known; ++i) {
        if (texts_[frequent_[i].value()] == text) return frequent_[i];
    }
    return frequent_[frequent_count_++ % frequent_.size()] = intern(text);
}

std::optional<Symbol> StringPool::find(std::string_view text) const {
    const auto found = index_.find(text);
    if (found == index_.end()) return std::nullopt;
    return found->second;
}

}  // namespace catenary::engine
