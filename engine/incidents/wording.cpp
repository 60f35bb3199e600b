#include "engine/incidents/wording.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace catenary::engine {

namespace {

void append_padded(std::string& text, std::int64_t value, std::size_t width) {
    const std::string digits = std::to_string(value);
    if (digits.size() < width) text.append(width - digits.size(), '0');
    text += digits;
}

}  // namespace

std::string said_time(Timestamp time) {
    const auto day = event_day(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
    std::string text;
    append_padded(text, static_cast<int>(date.year()), 4);
    text += '-';
    append_padded(text, static_cast<unsigned>(date.month()), 2);
    text += '-';
    append_padded(text, static_cast<unsigned>(date.day()), 2);
    text += ' ';
    append_padded(text, clock.hours().count(), 2);
    text += ':';
    append_padded(text, clock.minutes().count(), 2);
    text += ':';
    append_padded(text, clock.seconds().count(), 2);
    return text + " UTC";
}

std::string said_span(Duration span) {
    using namespace std::chrono_literals;
    struct Unit {
        Duration length;
        const char* word;
    };
    constexpr std::array<Unit, 4> units{{{24h, " d"}, {1h, " h"}, {1min, " min"}, {1s, " s"}}};
    if (span < Duration::zero()) span = -span;
    for (std::size_t i = 0; i < units.size(); ++i) {
        if (span < units[i].length) continue;
        std::string text = std::to_string(span / units[i].length) + units[i].word;
        const Duration rest = span % units[i].length;
        if (i + 1 < units.size() && rest >= units[i + 1].length) text += " " + std::to_string(rest / units[i + 1].length) + units[i + 1].word;
        return text;
    }
    if (span >= 1ms) return std::to_string(span / 1ms) + " ms";
    return "0 s";
}

std::string said_number(double value, int decimals) {
    std::array<char, 64> buffer{};
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, decimals);
    return error == std::errc{} ? std::string(buffer.data(), end) : std::string{"?"};
}

std::string said_count(std::int64_t count, std::string_view noun) {
    std::string text = std::to_string(count) + " ";
    text += noun;
    if (count != 1) text += 's';
    return text;
}

std::string said_list(const std::vector<std::string>& words, std::size_t most) {
    const std::size_t named = std::min(words.size(), most);
    const std::size_t left = words.size() - named;
    std::string text;
    for (std::size_t i = 0; i < named; ++i) {
        if (i > 0) text += (left == 0 && i + 1 == named) ? " and " : ", ";
        text += words[i];
    }
    if (left > 0) text += " and " + std::to_string(left) + " more";
    return text;
}

}  // namespace catenary::engine
