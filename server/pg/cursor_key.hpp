#pragma once

#include "api/http/cursor.hpp"
#include "server/pg/database.hpp"

namespace catenary::server::pg {

/// What seals the cursors of lists: derived from the database's own secret, so that it is the same for every process on it and tells nothing of the secret.
Started<api::http::CursorKey> cursor_key(const Database& database);

}  // namespace catenary::server::pg
