#pragma once

#include "tests/server/tickets/fake_system.hpp"
#include "tests/server/tickets/ticket_rig.hpp"

#include <cstddef>
#include <string>

namespace catenary::tests {

/// A connector "soc" to a ticket system with authors, notes and ties, which wants comments; and what everything that goes between incidents and tickets besides
/// their state must do there.
class TalkDesk {
public:
    /// `changes`: to the connector, as a merge patch.
    explicit TalkDesk(FakeSystem& fake, const nlohmann::json& changes = nlohmann::json::object());

    /// An incident with a ticket; its number.
    std::int64_t story(const std::string& account, std::chrono::microseconds after = {});
    void close(std::int64_t number);
    /// The incident's ticket is sent again as it is.
    void send_again(std::int64_t number);
    /// The ticket's number on the fake.
    int id_of(std::int64_t number) const;
    /// Notes of ours on the incident's ticket with a line that begins so; a note of a change may hold the text of the ticket, where it is an item of a list.
    std::ptrdiff_t notes_with(std::int64_t number, const std::string& words) const;
    std::string detail(std::int64_t number) { return rig.ticket("soc", number, "detail"); }
    /// What waits for its back-off is due now.
    void hurry();
    /// Until the tickets show the incidents as they are, and two polls found nothing new.
    void settle();

    FakeSystem& fake;
    TicketRig rig;
};

/// "Incident 2 was merged into incident 1, which goes on in its stead"
std::string into(std::int64_t from, std::int64_t number);
/// "Incident 2 was merged into this one."
std::string took_in(std::int64_t number);

/// Tickets of incidents that were merged are tied and say so, once, although the reply to every write is lost.
void check_merge(FakeSystem& fake);
/// What is split off gets a ticket of its own, and both name each other.
void check_split(FakeSystem& fake);
/// An incident that was merged before it had a ticket gets none.
void check_merged_before_ticket(FakeSystem& fake);
/// Comments go both ways, each once, whoever serves the connector. `forges`: somebody writes what ends as ours do.
void check_comments(FakeSystem& fake, const nlohmann::json& changes, bool forges);
/// Notes of people that are longer than comments, and so many that they are longer than a reply, all become comments.
void check_long_notes(FakeSystem& fake, int notes, std::size_t bytes);

}  // namespace catenary::tests
