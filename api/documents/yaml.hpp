#pragma once

#include "engine/model/result.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace catenary::api::documents {

/// What a document may hold at most, whatever its syntax.
struct DocumentLimits {
    std::size_t bytes = 256 * 1024;
    std::size_t depth = 16;
    std::size_t values = 20'000;  ///< scalars, lists and objects together
    std::size_t key_bytes = 256;
};

/// One YAML document as the JSON it stands for. Plain scalars read as in JSON (`null`, `~`, `true`, `12`, `0.5`), everything else is a string:
/// `no`, `0x1f`, `1_000` and dates stay as written. Refused: anchors and aliases (they can multiply a document's size), tags other than !!str,
/// keys that are no scalars, duplicate keys, a second document, NUL, invalid UTF-8, whole numbers that a double cannot hold.
/// Null when `faults` gained anything.
nlohmann::json read_yaml(std::string_view body, const DocumentLimits& limits, engine::Faults& faults);

/// The same of a text of 1 to `most` documents, each within the limits of a document, all of them within its bytes. Pointers begin with the number of the
/// document: "/1/title". Empty when `faults` gained anything.
std::vector<nlohmann::json> read_yaml_stream(std::string_view body, const DocumentLimits& limits, std::size_t most, engine::Faults& faults);

}  // namespace catenary::api::documents
