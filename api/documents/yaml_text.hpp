#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace catenary::api::documents {

/// A document as YAML for people to edit: short lists and objects on one line, longer ones in blocks, order kept. What read_yaml reads back is equal to
/// `value`, and so is what YAML 1.1 and 1.2 readers make of it: a string that any of them could take for something else is quoted.
std::string to_yaml(const nlohmann::ordered_json& value);

}  // namespace catenary::api::documents
