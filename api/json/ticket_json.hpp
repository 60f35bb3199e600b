#pragma once

#include "api/tickets/records.hpp"

#include <nlohmann/json_fwd.hpp>

namespace catenary::api::json {

/// The document with name, secrets' names, revision and how the connector does.
nlohmann::ordered_json to_json(const tickets::ConnectorRow& connector);
nlohmann::ordered_json to_json(const tickets::TicketRow& ticket);
/// What an incident says of its ticket.
nlohmann::ordered_json ticket_link_to_json(const tickets::TicketRow& ticket);
nlohmann::ordered_json to_json(const tickets::DeliveryRow& delivery);

}  // namespace catenary::api::json
