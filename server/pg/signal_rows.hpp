#pragma once

#include "api/ports/ports.hpp"

#include "server/pg/tenant_transaction.hpp"

#include <pqxx/pqxx>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace catenary::server::pg {

// Rows of `signal`, which name their entities by number, as the signals that were posted.

/// Read from `signal_page(…) s` or `signal_named(…) s` with `signal_joins` after it; expected by `signal_row_from` in this order.
inline constexpr const char* signal_columns =
    "s.key, s.time, s.received, s.severity, s.confidence, s.count, s.entities, s.roles, s.source_id, coalesce(s.attributes, '{}'), coalesce(s.shown, ''), "
    "coalesce(d.domain, ''), coalesce(d.source, ''), coalesce(d.name, ''), coalesce(d.tactics, '{}'), coalesce(d.techniques, '{}'), coalesce(t.title, ''), "
    "l.key IS NOT NULL, s.tenant IS NULL, coalesce(l.behind_horizon, false)";
inline constexpr const char* signal_joins =
    "LEFT JOIN def d ON d.id = s.def LEFT JOIN title t ON t.id = s.title LEFT JOIN late_signal l ON l.tenant = s.tenant AND l.key = s.key";

struct SignalRow {
    std::string key;                     ///< text of the uuid
    bool is_place = false;               ///< no signal: where a search that took too long goes on (time and key)
    api::ports::StoredSignalRow signal;  ///< without entities until `name_entities`
    std::vector<std::int64_t> entities;
    std::vector<std::byte> roles;
    std::string shown;
};

/// Throws std::invalid_argument on a row that no version of this program has written.
SignalRow signal_row_from(const pqxx::row& row);

/// Looks the entities of all rows up at once, and fills in roles, spellings, aliases and long titles.
void name_entities(TenantTransaction& transaction, std::vector<SignalRow>& rows);

}  // namespace catenary::server::pg
