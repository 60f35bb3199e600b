#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::tickets {

/// Where delivery of a ticket stands.
///
///     pending ──▶ sending ──▶ done ──change of the incident──▶ pending
///        ▲          │ ├──lost──▶ in_doubt ──looked──▶ done, or sent again
///        └──later───┘ ├──refused for good──▶ failed ──change, or asked for──▶ pending
///                     └──there no more──▶ gone ──asked for──▶ pending
enum class TicketState { pending, sending, done, in_doubt, failed, gone };
inline constexpr std::array<std::string_view, 6> ticket_state_words{"pending", "sending", "done", "in_doubt", "failed", "gone"};

/// An incident's ticket in one ticket system.
struct TicketRow {
    std::int64_t id = 0;
    std::string connector;
    engine::IncidentNumber incident;
    TicketState state = TicketState::pending;
    std::int64_t wanted = 0;     ///< revision of the incident that the ticket should show
    std::int64_t delivered = 0;  ///< and that it shows; 0: there is no ticket yet
    std::int32_t attempts = 0;   ///< since the last success
    engine::Timestamp due;       ///< of the next attempt
    std::string external_id;     ///< "" until it is there
    std::string external_url;
    std::string external_status;
    std::string detail;  ///< why it failed or waits
    engine::Timestamp created;
    engine::Timestamp changed;
};

/// One exchange with a ticket system.
struct DeliveryRow {
    std::int64_t id = 0;
    std::string connector;
    std::optional<std::int64_t> ticket;
    std::optional<engine::IncidentNumber> incident;
    engine::Timestamp at;
    std::int32_t attempt = 0;
    std::string action;
    std::string method;
    std::string url;
    std::string request;
    int status = 0;  ///< 0: no reply
    std::string reply;
    std::string failure;  ///< "": it did what it should
    engine::Duration took{};
};

inline constexpr std::size_t most_links = 20;  ///< tickets that are shown of one incident

struct ConnectorRow {
    std::string name;
    std::string document_json;  ///< normal form, without secrets
    std::vector<std::string> secret_names;
    std::int64_t revision = 0;
    engine::Timestamp changed;
    std::string changed_by;
    std::string hook;  ///< id of where its ticket system may send hooks to
    // how it does
    std::string paused;                                  ///< why nothing is sent; "": it runs
    std::int32_t failures = 0;                           ///< since the last success
    std::optional<engine::Timestamp> resting_until;      ///< the breaker is open
    std::optional<engine::Timestamp> succeeded, failed;  ///< last
    std::string failure;                                 ///< the last one
    std::int64_t waiting = 0;                            ///< changes not yet delivered, at most 10,000 are counted
    std::int64_t failed_tickets = 0;                     ///< the same of tickets that failed
};

/// What a look at the ticket system found.
struct ConnectorTest {
    bool ok = false;
    std::string detail;
};

/// Alternatives within one member mean OR, members AND.
struct TicketFilter {
    std::vector<std::string> connectors;
    std::vector<TicketState> states;
    std::optional<engine::IncidentNumber> incident;
};
struct DeliveryFilter {
    std::vector<std::string> connectors;
    std::optional<std::int64_t> ticket;
    bool failed_only = false;
};

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

}  // namespace catenary::api::tickets
