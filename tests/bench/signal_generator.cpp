#include "tests/bench/signal_generator.hpp"

#include "api/json/time_json.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <iterator>

namespace catenary::bench {

std::string SignalGenerator::body(std::size_t signals) {
    std::string text;
    for (std::size_t i = 0; i < signals; ++i) append_line(text);
    return text;
}

int SignalGenerator::zipf() { return static_cast<int>(std::pow(20'000.0, std::uniform_real_distribution<double>{0, 1}(random_))); }

void SignalGenerator::append_line(std::string& text) {
    const auto kind = random_() % 40;
    const engine::Timestamp time = std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} + std::chrono::milliseconds{++serial_};
    auto entities = fmt::format(
        R"({{"kind":"account","value":"user{}@corp.example","role":"actor"}},{{"kind":"host","value":"ws-{}.corp.example","role":"target"}})", zipf(), zipf());
    if (random_() % 10 < 8) entities += fmt::format(R"(,{{"kind":"ip","value":"10.{}.{}.7","role":"source"}})", zipf() % 200, zipf() % 250);
    fmt::format_to(
        std::back_inserter(text),
        R"({{"id":"{:016x}-{:08x}","source":"source-{}","time":"{}","domain":"endpoint","name":"suspicious_activity_{}","title":"Suspicious activity of kind {} was observed",)"
        R"("tactics":["TA0002"],"techniques":["T1059"],"severity":"low","confidence":0.2,"entities":[{}],)"
        R"("attributes":{{"country":"RO","risk_level":"medium","process":"C:\\Windows\\System32\\rundll32.exe","bytes":{},"session":"{:016x}"}}}})"
        "\n",
        random_(), serial_, kind % 4, api::json::format_time(time), kind, kind, entities, random_() % 100'000, random_());
}

}  // namespace catenary::bench
