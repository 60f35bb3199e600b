#include "api/tickets/text_template.hpp"

#include "api/documents/suggestion.hpp"

#include <algorithm>

namespace catenary::api::tickets {

using engine::FaultCode;

std::optional<TextTemplate> TextTemplate::parse(const documents::Place& place, std::string_view text, std::span<const std::string_view> known) {
    TextTemplate made;
    made.text_ = text;
    std::string literal;
    bool sound = true;
    const auto refuse = [&](FaultCode code, std::string detail) {
        place.fault(code, std::move(detail));
        sound = false;
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char letter = text[at];
        if ((letter == '{' || letter == '}') && at + 1 < text.size() && text[at + 1] == letter) {
            literal += letter;
            ++at;
        } else if (letter == '}') {
            refuse(FaultCode::malformed, "a '}' without its '{'; write '}}' for the bracket itself");
        } else if (letter == '{') {
            const auto end = text.find('}', at);
            if (end == std::string_view::npos) {
                refuse(FaultCode::malformed, "a '{' without its '}'; write '{{' for the bracket itself");
                break;
            }
            const auto name = text.substr(at + 1, end - at - 1);
            if (std::ranges::find(known, name) == known.end()) {
                refuse(FaultCode::unknown_field, "there is no {" + std::string{name.substr(0, 64)} + "} to fill in" + documents::suggestion(name, known));
            }
            if (!literal.empty()) made.parts_.emplace_back(std::move(literal));
            literal.clear();
            made.parts_.emplace_back(Name{std::string{name}});
            at = end;
        } else {
            literal += letter;
        }
    }
    if (!literal.empty()) made.parts_.emplace_back(std::move(literal));
    if (!sound) return std::nullopt;
    return made;
}

std::string TextTemplate::fill(const std::function<std::string(std::string_view)>& value_of) const {
    std::string filled;
    for (const auto& part : parts_) {
        if (const auto* name = std::get_if<Name>(&part)) filled += value_of(name->name);
        else filled += std::get<std::string>(part);
    }
    return filled;
}

}  // namespace catenary::api::tickets
