#pragma once

#include "api/ports/ports.hpp"
#include "api/tickets/connector.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::tickets {

/// What a title may name, and a body besides.
inline constexpr std::array<std::string_view, 12> title_names{"number",    "title",   "severity",     "score",  "status",         "owner",
                                                              "principal", "domains", "signal_count", "labels", "first_activity", "last_activity"};
inline constexpr std::array<std::string_view, 18> body_names{"number",        "title",   "severity",     "score",    "status",         "owner",
                                                             "principal",     "domains", "signal_count", "labels",   "first_activity", "last_activity",
                                                             "what_happened", "why",     "timeline",     "entities", "attack",         "link"};

constexpr std::size_t most_timeline_lines = 50;  ///< evidence that a body lists

/// Another incident that an incident's ticket names, and its ticket in the same system.
struct Kin {
    enum class Tie {
        goes_on_in,  ///< the incident was merged into this one
        took_in,     ///< this one was merged into it
        gave_to,     ///< findings were split off it to this one
        came_from,   ///< its findings were split off this one
    };
    Tie tie;
    engine::IncidentNumber incident;
    std::string ticket;  ///< "": it has none, or not yet
    std::string url;
};
inline constexpr std::array<std::string_view, 4> tie_words{"goes_on_in", "took_in", "gave_to", "came_from"};

/// "Incident 3 was merged into this one."
std::string kin_line(const Kin& kin);

/// An incident with what its ticket tells.
struct TicketStory {
    engine::IncidentRecord record;
    std::vector<engine::FindingRecord> findings;  ///< not superseded
    std::vector<ports::EvidenceRow> evidence;     ///< the earliest, at most most_timeline_lines
    bool more_evidence = false;
    std::vector<Kin> kin = {};  ///< by merge and split
};

struct TicketText {
    std::string title;  ///< one line
    std::string body;   ///< plain text in sections
};

/// Title and body by the connector's templates, within the lengths that its kind takes. What signals brought along is made harmless: addresses
/// are defanged, and nothing of it is markup, a link or a macro.
TicketText ticket_text(const Connector& connector, const TicketStory& story);

/// "203[.]0[.]113[.]7", "hxxps://…": nobody's client makes a link of it.
std::string defanged(std::string_view text);

/// Lines that nobody's client takes for markup, links or macros; NUL and other controls are spaces.
std::string plain_lines(std::string_view text);

/// Where an analyst reads on; "" without a console.
std::string link_back(const Connector& connector, engine::IncidentNumber number);

}  // namespace catenary::api::tickets
