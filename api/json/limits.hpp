#pragma once

#include "engine/model/result.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string_view>
#include <variant>

namespace catenary::api::json {

/// What a control document may hold at most; every limit is inclusive.
struct JsonLimits {
    std::size_t bytes = 256 * 1024;        ///< of the whole text
    std::size_t depth = 16;                ///< lists and objects inside each other; a scalar alone has depth 0
    std::size_t values = 20'000;           ///< scalars, lists and objects together
    std::size_t members = 1'000;           ///< of one object
    std::size_t key_bytes = 256;           ///< of one member name, decoded
    std::size_t string_bytes = 64 * 1024;  ///< of one string value, decoded
};

/// The document, or why it is refused (never empty; at most 100 faults, a syntax error ends the list).
using ParsedJson = std::variant<nlohmann::json, engine::Faults>;

/// Reads one JSON text in full. All limits are checked while it streams past, before any of it is kept. Refused besides: duplicate member names,
/// NUL in strings or names, invalid UTF-8 and lone surrogates, integers that a double cannot hold exactly, numbers beyond the range of a double,
/// and anything after the value.
ParsedJson parse_document(std::string_view body, const JsonLimits& limits = {});

}  // namespace catenary::api::json
