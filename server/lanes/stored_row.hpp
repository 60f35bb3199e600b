#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "server/ingest/signal_key.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server {

class PqResult;

/// A row of `signal` as views into its binary form, which must outlive it.
struct StoredRow {
    SignalKey key;
    engine::TenantId tenant;
    engine::Position position;
    engine::Timestamp time;
    engine::Timestamp received;
    std::int32_t definition = 0;
    std::int32_t title = 0;  ///< 0: none
    std::int16_t severity = 0;
    double confidence = 0;
    std::int64_t count = 1;
    std::string_view entities;  ///< the binary array: see `entity_count`, `entity`
    std::span<const std::byte> roles;
    std::string_view source_id;
    std::string_view attributes;  ///< "" for null
    std::string_view shown;       ///< "" for null
    std::uint32_t names = 0;      ///< where StoredNames::load put what its entities stand for

    std::size_t entity_count() const;
    std::int64_t entity(std::size_t index) const;
};

/// The columns that `stored_row` reads, in its order. `position` comes first: it can be read without the rest.
std::string_view stored_columns();

/// Reads one tuple of a binary COPY of those columns. Throws std::invalid_argument on anything else.
StoredRow stored_row(std::string_view tuple);
/// Reads one row of a binary result of those columns, which must outlive it.
StoredRow stored_row(const PqResult& result, int row);
/// Its position only, of a tuple.
engine::Position position_of(std::string_view tuple);

}  // namespace catenary::server
