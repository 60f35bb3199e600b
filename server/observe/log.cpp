#include "server/observe/log.hpp"

#include <chrono>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace catenary::server::observe {
namespace {

std::string_view word_of(Level level) {
    switch (level) {
        case Level::debug: return "debug";
        case Level::info: return "info";
        case Level::warning: return "warning";
        case Level::error: return "error";
    }
    return "error";
}

std::string utc_now() {
    const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    const auto micros = now.time_since_epoch().count() % 1'000'000;
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), micros);
}

}  // namespace

Log::Log(Level least) : least_{least}, logger_{std::make_shared<spdlog::logger>("catenary", std::make_shared<spdlog::sinks::stderr_sink_mt>())} {
    logger_->set_pattern("%v");
    logger_->set_level(spdlog::level::trace);  // `least_` decides
    logger_->flush_on(spdlog::level::trace);
}

Log::~Log() = default;

void Log::event(Level level, std::string_view event, std::initializer_list<LogField> fields) const {
    if (!writes(level)) return;
    nlohmann::ordered_json line{{"time", utc_now()}, {"level", word_of(level)}, {"event", event}};
    for (const auto& field : fields) {
        std::visit([&](const auto& value) { line[std::string{field.name}] = value; }, field.value);
    }
    logger_->info("{}", line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace catenary::server::observe
