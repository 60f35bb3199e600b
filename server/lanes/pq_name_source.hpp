#pragma once

#include "server/ingest/pq_connection.hpp"
#include "server/lanes/stored_names.hpp"

namespace catenary::server {

/// The dictionaries in PostgreSQL.
class PqNameSource final : public NameSource {
public:
    /// `connection` outlives this.
    explicit PqNameSource(PqConnection& connection) : connection_{connection} {}

    Found<std::int32_t, StoredDefinition> definitions(const std::vector<std::int32_t>& ids) override;
    Found<std::int32_t, std::string> titles(const std::vector<std::int32_t>& ids) override;
    Found<std::int64_t, StoredEntity> entities(const std::vector<std::int64_t>& ids) override;

private:
    PqConnection& connection_;
};

}  // namespace catenary::server
