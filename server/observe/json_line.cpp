#include "server/observe/json_line.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace catenary::server::observe {
namespace {

using Json = nlohmann::ordered_json;

bool is_name_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

/// Length of "name=" at the start of `text`; 0 when there is none.
std::size_t name_length(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() && is_name_character(text[length])) ++length;
    return length > 0 && length < text.size() && text[length] == '=' ? length + 1 : 0;
}

/// Takes the value that `text` begins with, and the blank behind it.
std::string_view take_value(std::string_view& text) {
    const bool quoted = text.starts_with('"');
    std::size_t end = quoted ? 1 : 0;
    for (; end < text.size(); ++end) {
        const auto rest = text.substr(end + 1);
        const bool at_border = rest.empty() || (rest.starts_with(' ') && name_length(rest.substr(1)) > 0);
        if (quoted ? text[end] == '"' && at_border : text[end] == ' ' && name_length(rest) > 0) break;
    }
    const auto value = quoted ? text.substr(1, end - 1) : text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + (quoted ? 2 : 1)));
    return value;
}

std::optional<Json> members_of(std::string_view text) {
    if (!text.starts_with("event=")) return {};
    Json members = Json::object();
    while (!text.empty()) {
        const auto length = name_length(text);
        if (length == 0) return {};
        const auto name = text.substr(0, length - 1);
        text.remove_prefix(length);
        members[std::string{name}] = take_value(text);
    }
    return members;
}

Level level_of(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::trace:
        case spdlog::level::debug: return Level::debug;
        case spdlog::level::info: return Level::info;
        case spdlog::level::warn: return Level::warning;
        default: return Level::error;
    }
}

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug: return spdlog::level::debug;
        case Level::info: return spdlog::level::info;
        case Level::warning: return spdlog::level::warn;
        case Level::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

class JsonFormatter final : public spdlog::formatter {
public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& into) override {
        const auto line = json_line(level_of(message.level), {message.payload.data(), message.payload.size()}, utc_now()) + "\n";
        into.append(line.data(), line.data() + line.size());
    }
    std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

}  // namespace

std::string utc_now() {
    const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), now.time_since_epoch().count() % 1'000'000);
}

std::string_view to_string(Level level) {
    switch (level) {
        case Level::debug: return "debug";
        case Level::info: return "info";
        case Level::warning: return "warning";
        case Level::error: return "error";
    }
    return "error";
}

std::string json_line(Level level, std::string_view text, std::string_view time) {
    Json line{{"time", time}, {"level", to_string(level)}};
    if (const auto members = members_of(text)) {
        line.update(*members);
    } else {
        line["event"] = "message";
        line["text"] = text;
    }
    return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void adopt_default_logger(Level least) {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    sink->set_formatter(std::make_unique<JsonFormatter>());
    auto logger = std::make_shared<spdlog::logger>("", std::move(sink));
    logger->set_level(to_spdlog(least));
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
}

}  // namespace catenary::server::observe
