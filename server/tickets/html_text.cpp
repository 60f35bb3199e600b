#include "server/tickets/html_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace catenary::server::tickets {
namespace {

constexpr std::array<std::string_view, 16> blocks{"br", "p", "div", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"};
constexpr std::array<std::string_view, 4> silent{"script", "style", "head", "title"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> entities{
    {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}}};
constexpr std::size_t longest_entity = 10;

template <class List>
bool is_in(const List& list, std::string_view word) {
    return std::ranges::find(list, word) != list.end();
}

bool is_white(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// "P" of "<P class=x>", "/p" of "</p>", in lower case.
std::string name_of(std::string_view tag) {
    std::string name;
    for (const char c : tag) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && !(c == '/' && name.empty())) break;
        name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    return name;
}

void append_utf8(std::string& text, std::uint32_t point) {
    const auto byte = [&](std::uint32_t value) { text += static_cast<char>(value); };
    if (point < 0x80) return byte(point);
    if (point < 0x800) byte(0xc0U | (point >> 6U));
    else if (point < 0x10000) byte(0xe0U | (point >> 12U)), byte(0x80U | ((point >> 6U) & 0x3fU));
    else byte(0xf0U | (point >> 18U)), byte(0x80U | ((point >> 12U) & 0x3fU)), byte(0x80U | ((point >> 6U) & 0x3fU));
    byte(0x80U | (point & 0x3fU));
}

/// What stands for "#8364", "#x20ac" or "amp"; empty when nothing does.
std::optional<std::string> meaning_of(std::string_view entity) {
    if (!entity.starts_with('#')) {
        const auto* known = std::ranges::find(entities, entity, &std::pair<std::string_view, std::string_view>::first);
        return known == entities.end() ? std::nullopt : std::optional{std::string{known->second}};
    }
    const bool is_hex = entity.size() > 1 && (entity[1] == 'x' || entity[1] == 'X');
    const auto digits = entity.substr(is_hex ? 2 : 1);
    std::uint32_t point = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), point, is_hex ? 16 : 10);
    const bool is_surrogate = point >= 0xd800 && point < 0xe000;
    if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size() || point < 0x20 || point > 0x10ffff || is_surrogate) return std::nullopt;
    std::string text;
    append_utf8(text, point);
    return text;
}

/// Text that grows word by word: white space in a row becomes one space, the end of a paragraph one end of line.
class Words {
public:
    void add(std::string_view text) {
        if (!text_.empty() && ends_line_) text_ += '\n';
        else if (!text_.empty() && is_apart_) text_ += ' ';
        ends_line_ = is_apart_ = false;
        text_ += text;
    }
    void space() { is_apart_ = true; }
    void end_line() { ends_line_ = true; }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
    bool is_apart_ = false;
    bool ends_line_ = false;
};

}  // namespace

std::string text_of_html(std::string_view html) {
    Words words;
    std::string within;  // the name of what is not shown
    for (std::size_t at = 0; at < html.size();) {
        const char c = html[at];
        const auto next = at + 1 < html.size() ? html[at + 1] : ' ';
        const bool is_tag = c == '<' && (next == '/' || next == '!' || (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'));
        if (is_tag) {
            const auto end = html.find('>', at);
            const auto name = name_of(html.substr(at + 1, end - at - 1));
            const auto bare = name.starts_with('/') ? name.substr(1) : name;
            if (within.empty() && is_in(silent, name)) within = name;
            else if (name == "/" + within) within.clear();
            if (is_in(blocks, bare)) words.end_line();
            at = end == std::string_view::npos ? html.size() : end + 1;
            continue;
        }
        const auto end = c == '&' ? html.substr(at, longest_entity + 2).find(';') : std::string_view::npos;
        const auto meaning = end == std::string_view::npos ? std::nullopt : meaning_of(html.substr(at + 1, end - 1));
        const auto shown = meaning ? std::string_view{*meaning} : html.substr(at, 1);
        at += meaning ? end + 1 : 1;
        if (!within.empty()) continue;
        if (shown.size() == 1 && is_white(shown.front())) words.space();
        else words.add(shown);
    }
    return words.take();
}

}  // namespace catenary::server::tickets
