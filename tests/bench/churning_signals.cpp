#include "tests/bench/churning_signals.hpp"

#include "api/json/time_json.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <iterator>

namespace catenary::bench {

std::string ChurningSignals::body(std::size_t signals) {
    std::string text;
    for (std::size_t i = 0; i < signals; ++i) append_line(text);
    return text;
}

void ChurningSignals::append_line(std::string& text) {
    constexpr std::array<const char*, 4> first_stages{"impossible_travel", "mass_file_download", "access_key_created", "file_deleted"};
    const engine::Timestamp time = std::chrono::sys_days{std::chrono::year{2026} / 1 / 2} + std::chrono::milliseconds{100 * ++serial_};
    const auto dice = random_() % 2'000;
    const auto name = dice == 0    ? std::string{"suspicious_inbox_rule"}
                      : dice < 201 ? std::string{first_stages[dice % first_stages.size()]}
                                   : fmt::format("suspicious_activity_{}", dice % 40);
    fmt::format_to(
        std::back_inserter(text),
        R"({{"id":"{:016x}-{:08x}","source":"source-{}","time":"{}","domain":"endpoint","name":"{}","severity":"low","confidence":0.2,"entities":[)"
        R"({{"kind":"account","value":"user{}@corp.example","role":"actor"}},{{"kind":"host","value":"ws-{}.corp.example","role":"target"}},)"
        R"({{"kind":"ip","value":"10.{}.{}.7","role":"source"}}],"attributes":{{"country":"RO","process":"C:\\Windows\\System32\\rundll32.exe","session":"{:016x}"}}}})"
        "\n",
        random_(), serial_, dice % 4, api::json::format_time(time), name, somebody(), somebody(), random_() % 200, random_() % 250, random_());
}

std::int64_t ChurningSignals::somebody() {
    return serial_ / 100 + static_cast<std::int64_t>(std::pow(20'000.0, std::uniform_real_distribution<double>{0, 1}(random_)));
}

}  // namespace catenary::bench
