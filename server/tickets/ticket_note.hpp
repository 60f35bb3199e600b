#pragma once

#include "server/tickets/ticket_system.hpp"

#include <map>
#include <string>

namespace catenary::server::tickets {

/// "Catenary <marker> revision 3": says in a ticket which revision of the incident it shows, so that what has arrived is recognised.
std::string revision_line(const TicketOrder& order);

/// What a revision's line and a note's line begin with, of any incident whose marker begins so.
std::string line_begin(const std::string& marker_prefix);

/// "Catenary <marker> note <key>": says in a ticket which note of ours it is.
std::string note_line(const std::string& marker, const OwnNote& note);

/// The last line of a text, without what is white behind it.
std::string last_line(std::string text);

/// A note with its line as the last one, in at most `most` bytes of which the line is kept.
std::string note_text(const OwnNote& note, const std::string& line, std::size_t most);

/// Whether a description before its last line is this body, whatever its line ends and what is white at its end.
bool shows_body(std::string description, std::string body);

/// What changed, in a sentence or two.
std::string note_of(const engine::IncidentRecord& incident);

/// The ticket system's word for `key`, "" when the map has none.
template <class Key>
std::string word_of(const std::map<Key, std::string>& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? "" : found->second;
}

}  // namespace catenary::server::tickets
