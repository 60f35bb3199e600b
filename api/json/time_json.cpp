#include "api/json/time_json.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace catenary::api::json {
namespace {

using namespace std::chrono;
using engine::Duration;
using engine::Timestamp;

constexpr bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

/// Takes text apart from its front; any failure sticks.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_{text} {}

    unsigned digits(std::size_t count) {
        unsigned value = 0;
        if (text_.size() < count) ok_ = false;
        for (std::size_t i = 0; ok_ && i < count; ++i) {
            ok_ = is_digit(text_[i]);
            value = value * 10 + static_cast<unsigned>(text_[i] - '0');
        }
        if (ok_) text_.remove_prefix(count);
        return value;
    }
    void expect(char upper, char lower) {
        ok_ = ok_ && !text_.empty() && (text_.front() == upper || text_.front() == lower);
        if (ok_) text_.remove_prefix(1);
    }
    void expect(char letter) { expect(letter, letter); }
    bool take(char letter) {
        if (!ok_ || text_.empty() || text_.front() != letter) return false;
        text_.remove_prefix(1);
        return true;
    }
    /// One to nine digits of a fraction, cut to microseconds.
    Duration fraction() {
        constexpr std::size_t most_digits = 9;
        std::int64_t micros = 0;
        std::size_t count = 0;
        for (; !text_.empty() && is_digit(text_.front()); text_.remove_prefix(1), ++count) {
            if (count < 6) micros = micros * 10 + (text_.front() - '0');
        }
        ok_ = ok_ && count >= 1 && count <= most_digits;
        for (; count < 6; ++count) micros *= 10;
        return Duration{micros};
    }
    void refuse() { ok_ = false; }
    bool done() const { return ok_ && text_.empty(); }

private:
    std::string_view text_;
    bool ok_ = true;
};

/// "Z" or "+hh:mm".
minutes offset(Scanner& scanner) {
    const bool ahead = scanner.take('+');
    if (!ahead && !scanner.take('-')) {
        scanner.expect('Z', 'z');
        return minutes{0};
    }
    const auto hour = scanner.digits(2);
    scanner.expect(':');
    const auto minute = scanner.digits(2);
    if (hour > 23 || minute > 59) scanner.refuse();
    const minutes span = hours{hour} + minutes{minute};
    return ahead ? span : -span;
}

constexpr Timestamp first_time{sys_days{year{1970} / January / 1}};
constexpr Timestamp end_of_time{sys_days{year{10000} / January / 1}};

struct Unit {
    char letter;
    Duration length;
};
constexpr std::array units{Unit{'d', days{1}}, Unit{'h', hours{1}}, Unit{'m', minutes{1}}, Unit{'s', seconds{1}}};

}  // namespace

std::optional<Timestamp> parse_time(std::string_view text) {
    Scanner scanner{text};
    const auto year_number = scanner.digits(4);
    scanner.expect('-');
    const auto month_number = scanner.digits(2);
    scanner.expect('-');
    const auto day_number = scanner.digits(2);
    scanner.expect('T', 't');
    const auto hour = scanner.digits(2);
    scanner.expect(':');
    const auto minute = scanner.digits(2);
    scanner.expect(':');
    const auto second = scanner.digits(2);
    const auto fraction = scanner.take('.') ? scanner.fraction() : Duration{0};
    const auto ahead_of_utc = offset(scanner);
    const year_month_day date{year{static_cast<int>(year_number)}, month{month_number}, day{day_number}};
    if (!scanner.done() || !date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    const Timestamp time = sys_days{date} + hours{hour} + minutes{minute} + seconds{second} + fraction - ahead_of_utc;
    if (time < first_time || time >= end_of_time) return std::nullopt;
    return time;
}

std::string format_time(Timestamp time) {
    const auto day_start = floor<days>(time);
    const year_month_day date{day_start};
    const hh_mm_ss clock{time - day_start};
    const auto micros = clock.subseconds().count();
    auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                            static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    if (micros % 1000 != 0) {
        text += fmt::format(".{:06}", micros);
    } else if (micros != 0) {
        text += fmt::format(".{:03}", micros / 1000);
    }
    return text + "Z";
}

std::optional<Duration> parse_span(std::string_view text) {
    constexpr Duration longest = days{400};
    if (text.size() < 2 || !is_digit(text.front())) return std::nullopt;
    std::int64_t count = 0;
    const auto* end = text.data() + text.size() - 1;
    const auto parsed = std::from_chars(text.data(), end, count);
    if (parsed.ec != std::errc{} || parsed.ptr != end || count < 1) return std::nullopt;
    for (const auto& unit : units) {
        if (unit.letter != text.back()) continue;
        if (count > longest / unit.length) return std::nullopt;
        return unit.length * count;
    }
    return std::nullopt;
}

std::string format_span(Duration span) {
    for (const auto& unit : units) {
        const bool reads_well = unit.letter != 'd' || span >= 2 * unit.length;  // people say 24h, not 1d
        if (span >= unit.length && span % unit.length == Duration{0} && reads_well) return fmt::format("{}{}", span / unit.length, unit.letter);
    }
    return fmt::format("{}s", static_cast<double>(span.count()) / 1e6);
}

std::string format_iso_duration(Duration span) {
    const bool negative = span < Duration{0};
    if (negative) span = -span;
    const auto whole_days = floor<days>(span);
    const hh_mm_ss clock{span - whole_days};
    std::string text = negative ? "-P" : "P";
    if (whole_days.count() > 0) text += fmt::format("{}D", whole_days.count());
    std::string time;
    if (clock.hours().count() > 0) time += fmt::format("{}H", clock.hours().count());
    if (clock.minutes().count() > 0) time += fmt::format("{}M", clock.minutes().count());
    const auto micros = clock.subseconds().count();
    if (clock.seconds().count() > 0 || micros > 0) {
        auto figure = fmt::format("{}.{:06}", clock.seconds().count(), micros);
        figure.erase(figure.find_last_not_of('0') + 1);
        if (figure.back() == '.') figure.pop_back();
        time += figure + "S";
    }
    if (time.empty() && whole_days.count() == 0) time = "0S";
    return time.empty() ? text : text + "T" + time;
}

}  // namespace catenary::api::json
