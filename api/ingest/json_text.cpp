#include "api/ingest/json_text.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <iterator>

namespace catenary::api::ingest {
namespace {

/// Four hexadecimal digits at the front of `text`.
std::optional<std::uint32_t> four_digits(std::string_view text) {
    if (text.size() < 4) return std::nullopt;
    std::uint32_t value = 0;
    for (const char letter : text.substr(0, 4)) {
        value <<= 4U;
        if (letter >= '0' && letter <= '9') {
            value |= static_cast<std::uint32_t>(letter - '0');
        } else if (letter >= 'a' && letter <= 'f') {
            value |= static_cast<std::uint32_t>(letter - 'a' + 10);
        } else if (letter >= 'A' && letter <= 'F') {
            value |= static_cast<std::uint32_t>(letter - 'A' + 10);
        } else {
            return std::nullopt;
        }
    }
    return value;
}

void append_utf8(std::uint32_t point, std::string& out) {
    const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
    if (point < 0x80) {
        byte(point);
    } else if (point < 0x800) {
        byte(0xC0U | (point >> 6U));
        byte(0x80U | (point & 0x3FU));
    } else if (point < 0x10000) {
        byte(0xE0U | (point >> 12U));
        byte(0x80U | ((point >> 6U) & 0x3FU));
        byte(0x80U | (point & 0x3FU));
    } else {
        byte(0xF0U | (point >> 18U));
        byte(0x80U | ((point >> 12U) & 0x3FU));
        byte(0x80U | ((point >> 6U) & 0x3FU));
        byte(0x80U | (point & 0x3FU));
    }
}

/// Decodes what follows "\u" and removes it from `rest`.
TextFault decode_unicode(std::string_view& rest, std::string& out) {
    const auto first = four_digits(rest);
    if (!first) return TextFault::escape;
    rest.remove_prefix(4);
    if (*first == 0) return TextFault::nul;
    if (*first < 0xD800 || *first > 0xDFFF) {
        append_utf8(*first, out);
        return TextFault::none;
    }
    const auto second = *first < 0xDC00 && rest.starts_with("\\u") ? four_digits(rest.substr(2)) : std::nullopt;
    if (!second || *second < 0xDC00 || *second > 0xDFFF) return TextFault::surrogate;
    rest.remove_prefix(6);
    append_utf8(0x10000U + ((*first - 0xD800U) << 10U) + (*second - 0xDC00U), out);
    return TextFault::none;
}

/// The character of a two-letter escape, 0 when there is none.
constexpr char short_escape(char letter) {
    switch (letter) {
        case '"': return '"';
        case '\\': return '\\';
        case '/': return '/';
        case 'b': return '\b';
        case 'f': return '\f';
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        default: return '\0';
    }
}

constexpr char escape_letter(char character) {
    switch (character) {
        case '"': return '"';
        case '\\': return '\\';
        case '\b': return 'b';
        case '\f': return 'f';
        case '\n': return 'n';
        case '\r': return 'r';
        case '\t': return 't';
        default: return '\0';
    }
}

}  // namespace

TextFault decode_text(std::string_view raw, std::string& out) {
    while (true) {
        const auto slash = raw.find('\\');
        out.append(raw.substr(0, slash));
        if (slash == std::string_view::npos) return TextFault::none;
        if (slash + 1 == raw.size()) return TextFault::escape;
        const char letter = raw[slash + 1];
        raw.remove_prefix(slash + 2);
        if (letter == 'u') {
            if (const auto fault = decode_unicode(raw, out); fault != TextFault::none) return fault;
            continue;
        }
        const char character = short_escape(letter);
        if (character == '\0') return TextFault::escape;
        out += character;
    }
}

bool has_shortest_escapes(std::string_view raw) {
    for (auto slash = raw.find('\\'); slash != std::string_view::npos; slash = raw.find('\\', slash + 2)) {
        const char letter = slash + 1 < raw.size() ? raw[slash + 1] : 'u';
        if (letter == '/' || letter == 'u') return false;  // "\u001f" would be shortest too, but who writes that
    }
    return true;
}

void append_quoted(std::string_view text, std::string& out) {
    out += '"';
    for (const char character : text) {
        if (const char letter = escape_letter(character); letter != '\0') {
            out += '\\';
            out += letter;
        } else if (static_cast<unsigned char>(character) < 0x20) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(character));
        } else {
            out += character;
        }
    }
    out += '"';
}

std::string_view MinifiedReader::taken(std::size_t count) {
    const auto part = rest_.substr(0, count);
    rest_.remove_prefix(part.size());
    return part;
}

std::string_view MinifiedReader::string() {
    if (!take('"')) return {};
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    const auto inside = taken(end);
    take('"');
    return inside;
}

std::string_view MinifiedReader::scalar() { return taken(std::min(rest_.find_first_of(",]}"), rest_.size())); }

std::string_view MinifiedReader::value() {
    const auto from = rest_;
    std::size_t depth = 0;
    do {
        switch (peek()) {
            case '"': string(); break;
            case '{':
            case '[':
                ++depth;
                taken(1);
                break;
            case '}':
            case ']':
                if (depth == 0) return from.substr(0, from.size() - rest_.size());
                --depth;
                taken(1);
                break;
            case ',':
            case ':': taken(1); break;
            default: scalar(); break;
        }
    } while (depth > 0 && !rest_.empty());
    return from.substr(0, from.size() - rest_.size());
}

}  // namespace catenary::api::ingest
