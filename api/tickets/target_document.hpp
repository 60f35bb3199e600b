#pragma once

#include "api/documents/place.hpp"
#include "api/tickets/connector.hpp"

#include <nlohmann/json_fwd.hpp>

namespace catenary::api::tickets {

constexpr std::size_t most_word_bytes = 128;  ///< of the ticket system's words, and of labels

/// Reads the member of a connector's document that its kind has for itself, named as the kind is, and holds the document's words of the ticket system
/// (priorities, statuses, resolutions, assignee; read before) against what the kind can take. Another kind's member is a fault.
void read_target(const documents::Place& place, const nlohmann::json& body, Connector& connector);

/// Adds that member to a normal form.
void show_target(nlohmann::ordered_json& document, const Connector& connector);

/// A word of the ticket system: ids may be written as numbers.
std::optional<std::string> read_remote_word(const documents::Place& place, const nlohmann::json& value);

}  // namespace catenary::api::tickets
