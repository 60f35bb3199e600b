#include "server/pg/sql_text.hpp"

#include <fmt/format.h>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <stdexcept>

namespace catenary::server::pg {
namespace {

/// The `width` digits at `text`, which are taken off it.
int take_digits(std::string_view& text, std::size_t width) {
    int value = 0;
    if (text.size() < width) throw std::invalid_argument("not a time");
    const auto [end, error] = std::from_chars(text.data(), text.data() + width, value);
    if (error != std::errc{} || end != text.data() + width) throw std::invalid_argument("not a time");
    text.remove_prefix(width);
    return value;
}

void take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) throw std::invalid_argument("not a time");
    text.remove_prefix(1);
}

/// Elements of a one-dimensional array as PostgreSQL writes it: {plain,"a \" and a \\"}. By hand, since the parser of libpqxx 6.4 asserts on an
/// empty element.
std::vector<std::string> elements_of(std::string_view text) {
    const std::invalid_argument damaged{"not an array without nulls"};
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') throw damaged;
    text = text.substr(1, text.size() - 2);
    std::vector<std::string> elements;
    if (text.empty()) return elements;
    for (std::size_t at = 0;; ++at) {
        std::string element;
        const bool quoted = at < text.size() && text[at] == '"';
        if (quoted) {
            for (++at; at < text.size() && text[at] != '"'; ++at) {
                if (text[at] == '\\' && ++at == text.size()) throw damaged;
                element += text[at];
            }
            if (at++ == text.size()) throw damaged;
        } else {
            for (; at < text.size() && text[at] != ','; ++at) {
                if (text[at] == '{' || text[at] == '"' || text[at] == '\\') throw damaged;
                element += text[at];
            }
            if (element.empty() || element == "NULL") throw damaged;
        }
        elements.push_back(std::move(element));
        if (at >= text.size()) return elements;
        if (text[at] != ',') throw damaged;
    }
}

}  // namespace

std::string array_literal(const std::vector<std::string>& values) {
    std::string text = "{";
    for (const auto& value : values) {
        if (text.size() > 1) text += ',';
        text += '"';
        for (const char c : value) {
            if (c == '\0') {
                text += "\xEF\xBF\xBD";
                continue;
            }
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += '"';
    }
    return text + '}';
}

std::string array_literal(const std::vector<std::int64_t>& values) { return fmt::format("{{{}}}", fmt::join(values, ",")); }

std::optional<std::string> filter_literal(const std::vector<std::string>& values) {
    if (values.empty()) return std::nullopt;
    return array_literal(values);
}

std::vector<std::string> text_array(const pqxx::field& field) { return elements_of({field.c_str(), field.size()}); }

std::vector<std::int64_t> integer_array(const pqxx::field& field) {
    std::vector<std::int64_t> values;
    for (const auto& element : elements_of({field.c_str(), field.size()})) {
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(element.data(), element.data() + element.size(), value);
        if (error != std::errc{} || end != element.data() + element.size()) throw std::invalid_argument("not an array of whole numbers");
        values.push_back(value);
    }
    return values;
}

std::string timestamp_text(engine::Timestamp time) {
    const auto day = engine::event_day(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss<engine::Duration> clock{time - day};
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}+00", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

engine::Timestamp timestamp_from(std::string_view text) {
    const int year = take_digits(text, 4);
    take(text, '-');
    const int month = take_digits(text, 2);
    take(text, '-');
    const int day = take_digits(text, 2);
    take(text, ' ');
    const int hour = take_digits(text, 2);
    take(text, ':');
    const int minute = take_digits(text, 2);
    take(text, ':');
    const int second = take_digits(text, 2);
    std::int64_t micros = 0;
    if (!text.empty() && text.front() == '.') {
        text.remove_prefix(1);
        std::int64_t unit = 100'000;
        for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), unit /= 10) micros += unit * (text.front() - '0');
    }
    if (text != "+00") throw std::invalid_argument("not a time in UTC");
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    return engine::Timestamp{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second} +
           engine::Duration{micros};
}

engine::Timestamp timestamp_from(const pqxx::field& field) { return timestamp_from(std::string_view{field.c_str(), field.size()}); }

std::optional<engine::Timestamp> optional_timestamp(const pqxx::field& field) {
    if (field.is_null()) return std::nullopt;
    return timestamp_from(field);
}

std::optional<std::string> optional_timestamp_text(const std::optional<engine::Timestamp>& time) {
    if (!time) return std::nullopt;
    return timestamp_text(*time);
}

std::string double_text(double value) { return fmt::format("{}", value); }

double double_from(const pqxx::field& field) {
    double value = 0;
    const std::string_view text{field.c_str(), field.size()};
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) throw std::invalid_argument("not a number");
    return value;
}

std::string uuid_text(const boost::uuids::uuid& id) { return boost::uuids::to_string(id); }

boost::uuids::uuid uuid_from(const pqxx::field& field) { return boost::uuids::string_generator{}(field.c_str()); }

}  // namespace catenary::server::pg
