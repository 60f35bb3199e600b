#pragma once

#include "api/ingest/prepared.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "server/ingest/digest.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace catenary::server {

/// `signal.key`: 48 bits of milliseconds since 1970, then 80 bits that stand for (tenant, source, id). The same signal always has the same key, and
/// keys grow with time, so that the unique index of a leaf is written where it was written last.
struct SignalKey {
    std::uint64_t high = 0;  ///< milliseconds in the upper 48 bits, then 16 bits of the digest
    std::uint64_t low = 0;   ///< 64 bits of the digest
    friend auto operator<=>(const SignalKey&, const SignalKey&) = default;

    std::int64_t millis() const { return static_cast<std::int64_t>(high >> 16U); }
    /// Of its time, in days since 1970.
    std::int32_t day() const { return static_cast<std::int32_t>(millis() / 86'400'000); }
    /// Whether both name the same (tenant, source, id), whatever their times.
    bool same_id(const SignalKey& other) const { return low == other.low && ((high ^ other.high) & 0xFFFFU) == 0; }
};

/// `time` must not be before 1970.
SignalKey signal_key(Digester& digester, engine::TenantId tenant, std::string_view source, std::string_view id, engine::Timestamp time);

/// `signal.content`: equal for a repeat of the same signal, different (but for one chance in 2^64) for other content under the same id.
std::int64_t content_digest(Digester& digester, const api::ingest::PreparedSignal& signal);

/// What ingest looks up by, computed before the writer's turn.
struct SignalDigests {
    SignalKey key;
    std::int64_t content = 0;
    Digest definition;   ///< (tenant, source, name, domain, tactics, techniques)
    Digest title_group;  ///< (tenant, source, name)
    Digest title;        ///< (tenant, source, name, title); unset without a title
};
struct RequestDigests {
    std::vector<SignalDigests> signals;  ///< as PreparedBatch::signals
    std::vector<Digest> entities;        ///< (tenant, kind, value) of all their entities, one signal after the other
};
RequestDigests digest_request(Digester& digester, engine::TenantId tenant, const api::ingest::PreparedBatch& batch);

Digest title_digest(Digester& digester, engine::TenantId tenant, std::string_view source, std::string_view name, std::string_view title);
Digest entity_digest(Digester& digester, engine::TenantId tenant, std::string_view kind, std::string_view value);

}  // namespace catenary::server
