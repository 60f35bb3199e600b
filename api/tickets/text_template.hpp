#pragma once

#include "api/documents/place.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace catenary::api::tickets {

/// Text with {names} in it; "{{" and "}}" stand for the brackets themselves.
class TextTemplate {
public:
    /// Names must be among `known`; every fault goes to `place`. Empty after a fault.
    static std::optional<TextTemplate> parse(const documents::Place& place, std::string_view text, std::span<const std::string_view> known);

    /// `value_of` is asked for each name as it comes.
    std::string fill(const std::function<std::string(std::string_view)>& value_of) const;
    const std::string& text() const { return text_; }

private:
    struct Name {
        std::string name;
    };
    std::string text_;
    std::vector<std::variant<std::string, Name>> parts_;
};

}  // namespace catenary::api::tickets
