#include "server/observe/log.hpp"

#include "server/observe/json_line.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <nlohmann/json.hpp>

namespace catenary::server::observe {

Log::Log(Level least) : least_{least}, logger_{std::make_shared<spdlog::logger>("catenary", std::make_shared<spdlog::sinks::stderr_sink_mt>())} {
    logger_->set_pattern("%v");
    logger_->set_level(spdlog::level::trace);  // `least_` decides
    logger_->flush_on(spdlog::level::trace);
}

Log::~Log() = default;

void Log::event(Level level, std::string_view event, std::initializer_list<LogField> fields) const {
    if (!writes(level)) return;
    nlohmann::ordered_json line{{"time", utc_now()}, {"level", to_string(level)}, {"event", event}};
    for (const auto& field : fields) {
        std::visit([&](const auto& value) { line[std::string{field.name}] = value; }, field.value);
    }
    logger_->info("{}", line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace catenary::server::observe
