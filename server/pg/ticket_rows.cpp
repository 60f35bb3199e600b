#include "server/pg/ticket_rows.hpp"

#include "server/pg/sql_text.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string_view>

namespace catenary::server::pg {

using namespace api::tickets;

std::string ticket_state_text(TicketState state) { return std::string{ticket_state_words[static_cast<std::size_t>(state)]}; }

TicketRow ticket_from(const pqxx::row& row) {
    TicketRow ticket;
    ticket.id = row[0].as<std::int64_t>();
    ticket.connector = row[1].c_str();
    ticket.incident = engine::IncidentNumber{row[2].as<std::int64_t>()};
    const auto word = std::ranges::find(ticket_state_words, std::string_view{row[3].c_str()});
    if (word == ticket_state_words.end()) throw std::invalid_argument("unknown state of a ticket");
    ticket.state = static_cast<TicketState>(word - ticket_state_words.begin());
    ticket.wanted = row[4].as<std::int64_t>();
    ticket.delivered = row[5].as<std::int64_t>();
    ticket.attempts = row[6].as<std::int32_t>();
    ticket.due = timestamp_from(row[7]);
    ticket.external_id = row[8].c_str();
    ticket.external_url = row[9].c_str();
    ticket.external_status = row[10].c_str();
    ticket.detail = row[11].c_str();
    ticket.created = timestamp_from(row[12]);
    ticket.changed = timestamp_from(row[13]);
    return ticket;
}

DeliveryRow delivery_from(const pqxx::row& row) {
    DeliveryRow delivery;
    delivery.id = row[0].as<std::int64_t>();
    delivery.connector = row[1].c_str();
    if (!row[2].is_null()) delivery.ticket = row[2].as<std::int64_t>();
    if (!row[3].is_null()) delivery.incident = engine::IncidentNumber{row[3].as<std::int64_t>()};
    delivery.at = timestamp_from(row[4]);
    delivery.attempt = row[5].as<std::int32_t>();
    delivery.action = row[6].c_str();
    delivery.method = row[7].c_str();
    delivery.url = row[8].c_str();
    delivery.request = row[9].c_str();
    delivery.status = row[10].as<int>();
    delivery.reply = row[11].c_str();
    delivery.failure = row[12].c_str();
    delivery.took = std::chrono::microseconds{row[13].as<std::int64_t>()};
    return delivery;
}

}  // namespace catenary::server::pg
