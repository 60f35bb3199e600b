#pragma once

#include "api/json/pointer.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace catenary::api::ingest {

/// Where in an item reading has come to: a chain on the stack from the item down. Making one costs a few stores; the pointer is spelled out only
/// for a fault. Lives no longer than the one above it.
class Place {
public:
    Place() = default;  ///< the item itself
    Place(const Place& above, std::string_view member) : above_{&above}, member_{member} {}
    Place(const Place& above, std::size_t index) : above_{&above}, index_{index} {}

    /// RFC 6901.
    std::string pointer() const {
        std::string text;
        append_to(text);
        return text;
    }

private:
    static constexpr auto no_index = static_cast<std::size_t>(-1);

    void append_to(std::string& text) const {  // as deep as the document, which is bounded
        if (above_ == nullptr) return;
        above_->append_to(text);
        if (index_ == no_index) {
            json::append_token(text, member_);
        } else {
            text += '/' + std::to_string(index_);
        }
    }

    const Place* above_ = nullptr;
    std::string_view member_;
    std::size_t index_ = no_index;
};

}  // namespace catenary::api::ingest
