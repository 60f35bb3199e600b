#include "server/tickets/ticket_note.hpp"

#include "server/tickets/json_reading.hpp"

#include <fmt/format.h>

namespace catenary::server::tickets {
namespace {

void trim_end(std::string& text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
}

}  // namespace

std::string revision_line(const TicketOrder& order) { return fmt::format("Catenary {} revision {}", order.marker, order.story.record.revision); }

std::string line_begin(const std::string& marker_prefix) { return "Catenary " + marker_prefix; }

std::string note_line(const std::string& marker, const OwnNote& note) { return fmt::format("Catenary {} note {}", marker, note.key); }

std::string last_line(std::string text) {
    trim_end(text);
    return text.substr(text.rfind('\n') + 1);
}

std::string note_text(const OwnNote& note, const std::string& line, std::size_t most) {
    constexpr std::string_view mark = "\n\u2026 (cut; the incident has the rest)";
    const auto end = "\n\n" + line;
    if (note.text.size() + end.size() <= most) return note.text + end;
    const auto taken = mark.size() + end.size();
    return shortened(note.text, most > taken ? most - taken : 0) + std::string{mark} + end;
}

bool shows_body(std::string description, std::string body) {
    std::erase(description, '\r');
    trim_end(description);
    const auto end = description.rfind('\n');
    description.resize(end == std::string::npos ? 0 : end);
    trim_end(description);
    trim_end(body);
    return description == body;
}

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
