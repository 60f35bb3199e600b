#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <pqxx/pqxx>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::pg {

// Values of SQL that libpqxx 6 cannot carry, as text. Sessions run in UTC with ISO dates (pg::acting_as).

/// `{"a","b\"c"}`: a literal of text[]. NUL, which no stored text holds, becomes U+FFFD.
std::string array_literal(const std::vector<std::string>& values);
/// `{1,2}`: a literal of int4[] or int8[].
std::string array_literal(const std::vector<std::int64_t>& values);
/// As above, or null for an empty list: "no filter".
std::optional<std::string> filter_literal(const std::vector<std::string>& values);

/// Read a one-dimensional array without nulls; throw std::invalid_argument on anything else.
std::vector<std::string> text_array(const pqxx::field& field);
std::vector<std::int64_t> integer_array(const pqxx::field& field);

/// "2026-03-05 22:47:11.000001+00", as PostgreSQL reads and writes it, years 1..9999. Reading throws std::invalid_argument on anything else.
std::string timestamp_text(engine::Timestamp time);
engine::Timestamp timestamp_from(std::string_view text);
engine::Timestamp timestamp_from(const pqxx::field& field);
std::optional<engine::Timestamp> optional_timestamp(const pqxx::field& field);
std::optional<std::string> optional_timestamp_text(const std::optional<engine::Timestamp>& time);

/// Shortest text that reads back as the same double.
std::string double_text(double value);
double double_from(const pqxx::field& field);

std::string uuid_text(const boost::uuids::uuid& id);
boost::uuids::uuid uuid_from(const pqxx::field& field);

}  // namespace catenary::server::pg
