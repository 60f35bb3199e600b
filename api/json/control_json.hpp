#pragma once

#include "api/ports/ports.hpp"
#include "engine/lane/control.hpp"
#include "engine/matching/pattern.hpp"
#include "engine/model/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::api::json {

// Control entries as the log holds them: a kind and compact JSON. What is written here must be read by every later version.

/// "tick", "watermark", "pattern", "incident", "setting", "comment", "merge", "split" or "entity".
std::string_view control_kind(const engine::ControlBody& body);

/// The body of any entry but a pattern's and an entity's, which hold what the engine does not read: see pattern_control_text, entity_control_text. Spans are whole microseconds, times RFC 3339.
std::string control_to_text(const engine::Tick& tick);
std::string control_to_text(const engine::WatermarkCall& call);
std::string control_to_text(const engine::IncidentEdit& edit);
std::string control_to_text(const engine::SettingChange& change);
std::string control_to_text(const engine::IncidentComment& comment);
std::string control_to_text(const engine::IncidentMerge& merge);
std::string control_to_text(const engine::IncidentSplit& split);

/// The body of kind "entity": everything that administrators hold of it from now on, with "kind:value" as its id.
std::string entity_control_text(const ports::EntityRow& wanted);

/// The body of kind "pattern": `document` is a normalised JSON document, embedded as it is.
std::string pattern_control_text(std::string_view id, std::int32_t version, engine::Mode mode, std::optional<engine::Timestamp> effective_from,
                                 std::string_view document);

/// The same for a pattern that ships: the entry names it, the program has it.
std::string shipped_control_text(std::string_view id, engine::Mode mode, std::optional<engine::Timestamp> effective_from);

/// Reads an entry back; a pattern is compiled from its document, one that ships is the catalogue's own, and one that ships no more is off. A fault
/// means that the entry was written by a newer version or is damaged.
engine::Result<engine::ControlBody> control_from_text(std::string_view kind, std::string_view body);

}  // namespace catenary::api::json
