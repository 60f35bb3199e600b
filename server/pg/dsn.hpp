#pragma once

#include "server/pg/start_failure.hpp"

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace catenary::server::pg {

/// Where and how to connect: libpq's parameters, parsed, so that settings can be added to what the operator gave as URL or as `key=value` pairs.
class Dsn {
public:
    /// Fails on what libpq cannot parse; the message never repeats a password.
    static Started<Dsn> parse(const std::string& text);
    explicit Dsn(std::map<std::string, std::string> parameters) : parameters_{std::move(parameters)} {}

    Dsn with(std::string_view parameter, std::string value) const;
    /// Adds a session setting (`-c name=value`) that the server applies before the first statement.
    Dsn with_setting(std::string_view name, std::string_view value) const;

    /// For libpq and libpqxx: `key='value'` pairs. Holds the password if there is one: not for logs.
    std::string text() const;
    /// For people: user, host, port and database only.
    std::string shown() const;
    std::string parameter(std::string_view name) const;  ///< "" when absent

private:
    std::map<std::string, std::string> parameters_;
};

}  // namespace catenary::server::pg
