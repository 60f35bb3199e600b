#pragma once

#include "api/tickets/connector.hpp"
#include "server/lanes/result_rows.hpp"

#include <pqxx/transaction_base>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace catenary::server {

/// Says in the transaction of incidents' changes which connectors they concern: those whose condition an incident meets and that open tickets on such a
/// change, and those that have a ticket of it. What is computed again after a crash makes the same rows. One thread.
class OutboxWriter {
public:
    /// After the incidents' rows. One query where no tenant of `rows` has connectors; throws as libpqxx does.
    void write(pqxx::transaction_base& transaction, const std::vector<ResultRows>& rows);

private:
    using Key = std::pair<std::int32_t, std::string>;  ///< tenant and name
    struct Known {
        std::int64_t changed = 0;                          ///< microseconds since 1970: unlike the revision never twice the same for a name
        std::optional<api::tickets::Connector> connector;  ///< empty: its row cannot be read
    };
    struct Wanted {
        std::string name;
        std::int64_t changed = 0;
    };
    const Known& known(pqxx::transaction_base& transaction, std::int32_t tenant, const Wanted& wanted);

    std::map<Key, Known> known_;  ///< compiled once a change
};

}  // namespace catenary::server
