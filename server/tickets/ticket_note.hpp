#pragma once

#include "server/tickets/ticket_system.hpp"

#include <map>
#include <string>

namespace catenary::server::tickets {

/// "Catenary <marker> revision 3": says in a ticket which revision of the incident it shows, so that what has arrived is recognised.
std::string revision_line(const TicketOrder& order);

/// What changed, in a sentence or two.
std::string note_of(const engine::IncidentRecord& incident);

/// The ticket system's word for `key`, "" when the map has none.
template <class Key>
std::string word_of(const std::map<Key, std::string>& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? "" : found->second;
}

}  // namespace catenary::server::tickets
