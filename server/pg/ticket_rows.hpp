#pragma once

#include "api/tickets/records.hpp"

#include <pqxx/pqxx>

#include <string>

namespace catenary::server::pg {

// Rows of ticket and delivery as records; a `columns` constant names what its reader expects, tables are aliased t and d.

inline constexpr const char* ticket_columns =
    "t.id, t.connector, t.incident, t.state, t.wanted, t.delivered, t.attempts, t.due, t.external_id, t.external_url, t.external_status, t.detail, t.created, "
    "t.changed";
api::tickets::TicketRow ticket_from(const pqxx::row& row);

inline constexpr const char* delivery_columns =
    "d.id, d.connector, d.ticket, d.incident, d.at, d.attempt, d.action, d.method, d.url, d.request, d.status, d.reply, d.failure, d.micros";
api::tickets::DeliveryRow delivery_from(const pqxx::row& row);

std::string ticket_state_text(api::tickets::TicketState state);

}  // namespace catenary::server::pg
