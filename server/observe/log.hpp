#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace spdlog {
class logger;
}

namespace catenary::server::observe {

enum class Level {
    debug,    ///< one line a request
    info,     ///< what happens a few times a day: start, stop, leadership
    warning,  ///< something was refused or retried; the server copes
    error,    ///< something failed that an operator should look at
};

/// One member of an event. Names are snake_case and shared across events: request_id, tenant, lane, position, status, micros.
struct LogField {
    std::string_view name;
    std::variant<std::string_view, std::int64_t, double, bool> value;
};

/// Structured events, one JSON object a line, on standard error: {"time": …, "level": …, "event": …, <fields>}. Any thread; lines never mix.
/// Secrets (keys, passwords, bodies) are never passed in.
class Log {
public:
    /// Events below `least` are dropped unformatted.
    explicit Log(Level least);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    bool writes(Level level) const { return level >= least_; }
    /// `event` is a stable snake_case word: what happened, "request_failed".
    void event(Level level, std::string_view event, std::initializer_list<LogField> fields = {}) const;

private:
    Level least_;
    std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace catenary::server::observe
