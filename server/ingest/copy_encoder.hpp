#pragma once

#include "engine/model/ids.hpp"
#include "server/ingest/dictionaries.hpp"
#include "server/ingest/group.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server {

/// Rows a COPY statement should carry when `waiting` rows go to one leaf. Statements between 500 and 2,000 rows cost PostgreSQL almost twice as much a
/// row as larger or smaller ones, so that a leaf's rows go in one large statement or in several small ones.
std::size_t copy_statement_rows(std::size_t waiting);

/// The columns that `CopyEncoder` writes, in its order: "key, tenant, …".
std::string_view copy_columns();

/// Encodes rows of `signal` in the binary form of COPY. Reuses its buffer; one thread.
class CopyEncoder {
public:
    void begin();
    /// `title` 0: none, or spelled in the row when the signal has one.
    void row(const api::ingest::PreparedSignal& signal, const SignalDigests& digests, engine::TenantId tenant, engine::Position position,
             engine::Timestamp received, std::int32_t definition, std::int32_t title, const std::int64_t* entities);
    void end();

    /// What was encoded since `begin` or the last `clear`.
    std::string_view bytes() const { return {buffer_.data(), used_}; }
    void clear() { used_ = 0; }

private:
    char* room(std::size_t bytes);
    std::vector<char> buffer_;
    std::size_t used_ = 0;
};

}  // namespace catenary::server
