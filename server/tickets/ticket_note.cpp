#include "server/tickets/ticket_note.hpp"

#include <fmt/format.h>

namespace catenary::server::tickets {

std::string revision_line(const TicketOrder& order) { return fmt::format("Catenary {} revision {}", order.marker, order.story.record.revision); }

std::string note_of(const engine::IncidentRecord& incident) {
    if (incident.merged_into) {
        return fmt::format("Incident {} was merged into incident {}, which goes on in its stead (revision {}).", incident.number.value(),
                           incident.merged_into->value(), incident.revision);
    }
    std::string note = fmt::format("Incident {} changed: {}, severity {}, score {:.3f}, {} signals in {} findings (revision {}).", incident.number.value(),
                                   engine::to_string(incident.status), engine::to_string(incident.severity), incident.score, incident.signal_count,
                                   incident.finding_count, incident.revision);
    if (incident.classification) note += fmt::format(" Classified as {}.", engine::to_string(*incident.classification));
    return note;
}

}  // namespace catenary::server::tickets
