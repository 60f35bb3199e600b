#pragma once

#include "api/ports/ports.hpp"
#include "server/ingest/stored_keys.hpp"
#include "server/pg/pool.hpp"

#include <chrono>

namespace catenary::server::pg {

/// Stored signals, read through the functions of migrations/0003_reading.sql.
///
/// A page costs its own rows and those of the milliseconds at its two ends, however large the leaf is, where the filter takes much of what is stored.
/// A rare filter costs an index look-up in a sealed leaf and a walk through any other, some hundred milliseconds a million rows; the walk stops after
/// `patience` and the next page goes on. One signal by its id costs two look-ups while ingest remembers it or it is evidence. Otherwise sealed leaves are asked
/// through a filter (milliseconds a million rows) and others are read, newest first, until `patience` is over.
class SignalStore final : public api::ports::SignalReader {
public:
    /// `keys` may be null: nothing is remembered. It must outlive the store.
    explicit SignalStore(Pool& pool, const StoredKeys* keys = nullptr, std::chrono::milliseconds patience = std::chrono::seconds{1})
        : pool_{pool}, keys_{keys}, patience_{patience} {}
    api::ports::Outcome<api::ports::Page<api::ports::StoredSignalRow>> page(const api::Caller& caller, const api::ports::SignalFilter& filter,
                                                                            const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::SignalDetail> find(const api::Caller& caller, const std::string& source, const std::string& id,
                                                       std::optional<engine::Timestamp> time) override;

private:
    Pool& pool_;
    const StoredKeys* keys_;
    std::chrono::milliseconds patience_;
};

}  // namespace catenary::server::pg
