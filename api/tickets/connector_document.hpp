#pragma once

#include "api/documents/place.hpp"
#include "api/tickets/connector.hpp"

#include <optional>
#include <string_view>

namespace catenary::api::tickets {

struct ConnectorDocument {
    Connector connector;
    std::optional<Secrets> secrets;  ///< empty: left out
};

/// Reads the body of PUT /connectors/{name}; every fault goes to `place`. Members: the schema NewConnector of openapi.yaml.
ConnectorDocument connector_from_json(const documents::Place& place, const nlohmann::json& body);

/// A stored normal form. Throws std::invalid_argument on one that this version has not written.
Connector stored_connector(std::string_view document_json);

/// The names of the secrets that a kind needs.
std::vector<std::string_view> secrets_of(ConnectorKind kind);

/// With this secret, `whsec_…` or up to four, any kind takes hooks.
inline constexpr std::string_view hook_secret = "hook";

}  // namespace catenary::api::tickets
