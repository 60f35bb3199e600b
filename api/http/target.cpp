#include "api/http/target.hpp"

#include "api/json/utf8.hpp"

#include <fmt/format.h>

namespace catenary::api::http {
namespace {

using engine::Fault;
using engine::FaultCode;

constexpr std::size_t most_parameters = 200;

int hex_value(char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
    return -1;
}

constexpr bool is_unreserved(char letter) {
    return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' ||
           letter == '_' || letter == '~';
}

/// In queries a '+' stands for a blank, as HTML forms write it.
std::optional<std::string> form_decoded(std::string_view text) {
    std::string blanks{text};
    for (char& letter : blanks) {
        if (letter == '+') letter = ' ';
    }
    return percent_decoded(blanks);
}

template <class Visit>
void split(std::string_view text, char separator, Visit&& visit) {
    while (true) {
        const auto end = text.find(separator);
        visit(text.substr(0, end));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        const int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0) return std::nullopt;
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
    }
    if (decoded.find('\0') != std::string::npos || !json::is_utf8(decoded)) return std::nullopt;
    return decoded;
}

std::string percent_encoded(std::string_view text) {
    std::string encoded;
    for (const char letter : text) {
        if (is_unreserved(letter)) {
            encoded += letter;
        } else {
            encoded += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
        }
    }
    return encoded;
}

engine::Result<Target> parse_target(std::string_view target) {
    if (!target.starts_with('/')) return Fault{FaultCode::malformed, "", "the request target is a path that starts with '/'"};
    const auto mark = target.find('?');
    const auto path = target.substr(1, mark == std::string_view::npos ? mark : mark - 1);
    Target parsed;
    std::optional<Fault> fault;
    const auto refuse = [&](FaultCode code, std::string detail) {
        if (!fault) fault = Fault{code, "", std::move(detail)};
    };
    if (!path.empty()) {
        split(path, '/', [&](std::string_view segment) {
            auto decoded = percent_decoded(segment);
            if (!decoded) return refuse(FaultCode::malformed, "a path segment is not percent-encoded UTF-8 without U+0000");
            parsed.segments.push_back(std::move(*decoded));
        });
    }
    if (mark != std::string_view::npos) {
        split(target.substr(mark + 1), '&', [&](std::string_view pair) {
            if (pair.empty() || fault) return;
            const auto equals = pair.find('=');
            auto name = form_decoded(pair.substr(0, equals));
            auto value = form_decoded(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
            if (!name || !value) return refuse(FaultCode::malformed, "a query parameter is not percent-encoded UTF-8 without U+0000");
            parsed.query.emplace_back(std::move(*name), std::move(*value));
            if (parsed.query.size() > most_parameters) refuse(FaultCode::too_large, fmt::format("more than {} query parameters", most_parameters));
        });
    }
    if (fault) return *fault;
    return parsed;
}

}  // namespace catenary::api::http
