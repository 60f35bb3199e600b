#pragma once

#include "api/documents/place.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// Reading typed values out of a document. Each function records a fault at `place` and answers empty when the value is not what was asked for.

namespace catenary::api::documents {

/// "a string", "an object" …: what a value is, for details of faults.
std::string_view type_name(const nlohmann::json& value);

/// An object whose members are all among `known`; unknown members are faults but do not make it unusable. Null when it is no object.
const nlohmann::json* read_object(const Place& place, const nlohmann::json& value, std::span<const std::string_view> known);
/// The member, or null after a fault `missing`.
const nlohmann::json* required(const Place& place, const nlohmann::json& object, std::string_view name);
/// The member, or null.
const nlohmann::json* optional_member(const nlohmann::json& object, std::string_view name);
/// The member that is there and not null, or null.
const nlohmann::json* given_member(const nlohmann::json& object, std::string_view name);

/// Between 1 and `most_bytes` bytes without control characters and without white space at either end.
std::optional<std::string> read_line(const Place& place, const nlohmann::json& value, std::size_t most_bytes);
/// At most `most_bytes` bytes; line breaks and tabs may occur.
std::optional<std::string> read_text(const Place& place, const nlohmann::json& value, std::size_t most_bytes);
std::optional<bool> read_bool(const Place& place, const nlohmann::json& value);
/// A whole number between `least` and `most`, both included.
std::optional<std::int64_t> read_integer(const Place& place, const nlohmann::json& value, std::int64_t least, std::int64_t most);
/// Index into `words` of a string that is one of them.
std::optional<std::size_t> read_word(const Place& place, const nlohmann::json& value, std::span<const std::string_view> words);
/// A list of `least` to `most` values; null otherwise.
const nlohmann::json* read_list(const Place& place, const nlohmann::json& value, std::size_t least, std::size_t most);

}  // namespace catenary::api::documents
