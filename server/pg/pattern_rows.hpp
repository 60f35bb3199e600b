#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/store_error.hpp"

#include "server/pg/tenant_transaction.hpp"

#include <pqxx/pqxx>

#include <optional>
#include <string>

namespace catenary::server::pg {

/// A pattern as it is now, with what a caller is not shown.
struct PatternHead {
    api::ports::PatternVersion version;
    bool retired = false;
};

/// Heads `p` with their documents, as pattern_head_from reads them; what follows says which.
extern const char* const pattern_head_select;
PatternHead pattern_head_from(const pqxx::row& row);

/// Makes the changes of a tenant's patterns follow one another until the transaction ends.
void lock_patterns(TenantTransaction& transaction, const api::Caller& caller);

/// Empty when the tenant never had or deployed a pattern of this id.
std::optional<PatternHead> find_pattern_head(TenantTransaction& transaction, const std::string& id);
/// Writes the head as it is after a change, at the next revision; returns it as stored.
PatternHead write_pattern_head(TenantTransaction& transaction, const PatternHead& head, const std::string& actor);
/// The row of a version that the head names already.
void insert_pattern_version(TenantTransaction& transaction, const PatternHead& head, engine::Position position, const std::string& actor);

/// A row of id, version, mode, document, created, created_by.
api::ports::PatternVersion pattern_version_from(const pqxx::row& row);

}  // namespace catenary::server::pg
