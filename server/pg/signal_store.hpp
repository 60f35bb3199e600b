#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/pool.hpp"

namespace catenary::server::pg {

/// Stored signals in the order of their keys: event time in whole milliseconds, then a hash that never changes. That order is what every leaf's unique
/// index holds, so a page costs its rows however large the leaf is. Within a page items are by (time, key).
class SignalStore final : public api::ports::SignalReader {
public:
    /// Set in each reading transaction. Fresh leaves have no statistics, and on its guesses the planner would gather and sort a whole leaf for a page of it.
    static constexpr const char* walk_the_index = "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off";

    explicit SignalStore(Pool& pool) : pool_{pool} {}
    api::ports::Outcome<api::ports::Page<api::ports::StoredSignalRow>> page(const api::Caller& caller, const api::ports::SignalFilter& filter,
                                                                           const api::ports::PageRequest& request) override;

private:
    Pool& pool_;
};

}  // namespace catenary::server::pg
