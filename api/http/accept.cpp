#include "api/http/accept.hpp"

#include "api/documents/document.hpp"
#include "engine/model/ascii.hpp"

#include <algorithm>
#include <string>

namespace catenary::api::http {
namespace {

/// Cuts off and returns what stands before the next `separator`.
std::string_view next_part(std::string_view& text, char separator) {
    const auto end = text.find(separator);
    const auto part = engine::trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
}

/// In thousandths, as RFC 9110 12.4.2 writes it: "1", "0.5", "0.125". Anything else counts as 1.
int quality(std::string_view text) {
    if (text.size() < 2 || text.front() != '0' || text[1] != '.') return text == "0" ? 0 : 1000;
    int thousandths = 0;
    int unit = 100;
    for (const char digit : text.substr(2, 3)) {
        if (!engine::is_ascii_digit(digit)) return 1000;
        thousandths += (digit - '0') * unit;
        unit /= 10;
    }
    return thousandths;
}

}  // namespace

bool prefers_yaml(std::string_view accept) {
    int yaml = 0;
    int json = 0;
    while (!accept.empty()) {
        auto range = next_part(accept, ',');
        const auto type = engine::ascii_lower(next_part(range, ';'));
        int q = 1000;
        while (!range.empty()) {
            const auto parameter = next_part(range, ';');
            if (parameter.starts_with("q=") || parameter.starts_with("Q=")) q = quality(engine::trimmed(parameter.substr(2)));
        }
        if (type.empty()) continue;
        const auto syntax = documents::syntax_of(type);
        if (syntax == documents::Syntax::yaml) yaml = std::max(yaml, q);
        if (syntax == documents::Syntax::json) json = std::max(json, q);
    }
    return yaml > json;
}

}  // namespace catenary::api::http
