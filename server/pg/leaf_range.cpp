#include "server/pg/leaf_range.hpp"

#include <charconv>
#include <chrono>

namespace catenary::server::pg {
namespace {

std::optional<int> number(std::string_view digits) {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

}  // namespace

std::optional<LeafRange> leaf_range(std::string_view table) {
    constexpr std::string_view daily = "signal_d";
    constexpr std::string_view yearly = "signal_y";
    using std::chrono::sys_days;
    using std::chrono::year;
    if (table.starts_with(daily) && table.size() == daily.size() + 8) {
        const auto digits = number(table.substr(daily.size()));
        if (!digits || *digits < 0) return std::nullopt;
        const std::chrono::year_month_day day{year{*digits / 10'000}, std::chrono::month{static_cast<unsigned>(*digits / 100 % 100)},
                                              std::chrono::day{static_cast<unsigned>(*digits % 100)}};
        if (!day.ok()) return std::nullopt;
        return LeafRange{engine::Timestamp{sys_days{day}}, engine::Timestamp{sys_days{day} + std::chrono::days{1}}};
    }
    if (table.starts_with(yearly) && table.size() == yearly.size() + 4) {
        const auto digits = number(table.substr(yearly.size()));
        if (!digits || *digits < 0) return std::nullopt;
        const auto january = [](int of) { return engine::Timestamp{sys_days{year{of} / std::chrono::January / 1}}; };
        return LeafRange{january(*digits), january(*digits + 1)};
    }
    return std::nullopt;
}

}  // namespace catenary::server::pg
