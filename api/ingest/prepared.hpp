#pragma once

#include "api/http/request.hpp"
#include "api/ports/caller.hpp"
#include "engine/model/result.hpp"
#include "engine/model/severity.hpp"
#include "engine/model/time.hpp"

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::ingest {

struct PreparedEntity {
    std::string_view kind;
    std::string_view value;  ///< canonical
    std::string_view role;   ///< "" when not given
    bool identifies = true;
};

/// A posted signal, checked and canonical, as views into its batch.
struct PreparedSignal {
    std::uint32_t index = 0;  ///< place in the request
    std::string_view source;
    std::string_view id;  ///< as posted, or derived from the content
    engine::Timestamp time;
    std::string_view domain;
    std::string_view name;
    std::string_view title;                        ///< "" when not given
    std::span<const std::string_view> tactics;     ///< sorted, each once
    std::span<const std::string_view> techniques;  ///< sorted, each once
    engine::Severity severity = engine::Severity::informational;
    double confidence = 0;
    std::int64_t count = 1;
    std::span<const PreparedEntity> entities;  ///< in posted order, each (kind, value) once
    std::string_view attributes;               ///< minified JSON object, "" when empty
    std::string_view shown;         ///< JSON {"values":{"<entity index>":"original spelling"}} where it differs from the canonical one, "" when nowhere
    std::string_view aliases;       ///< JSON {"<entity index>":[{"kind","value"}…]} as posted, "" when none (kept; identity learning reads it later)
    bool plain_attributes = false;  ///< `attributes` is canonical_json() of itself already: known from parsing, saves the digest a pass
};

struct RefusedItem {
    std::uint32_t index = 0;
    std::string id;         ///< when it could be read
    engine::Faults errors;  ///< pointers relative to the item: "/confidence"
};

/// One request's signals. Owns the bytes that its views point into; not copied, not moved once filled.
class PreparedBatch {
public:
    PreparedBatch() = default;
    PreparedBatch(const PreparedBatch&) = delete;
    PreparedBatch& operator=(const PreparedBatch&) = delete;

    std::string body;  ///< the request's bytes, padded for the parser
    std::pmr::monotonic_buffer_resource arena{16 * 1024};
    std::vector<PreparedSignal> signals;
    std::vector<RefusedItem> refused;
    bool single = false;  ///< one object: answered 201/200/409/422 instead of with counts
};

enum class ItemStatus { accepted, duplicate, conflict };

/// What the committer decided about each of `PreparedBatch::signals`, same order.
struct ItemOutcome {
    ItemStatus status = ItemStatus::accepted;
    bool late = false;      ///< by the watermark known at commit
    engine::Faults errors;  ///< for a conflict, or for an item the store refuses (then `refused`)
    bool refused = false;
};

struct CommitOutcome {
    enum class State {
        committed,     ///< durable
        overloaded,    ///< more was waiting than may wait. Nothing stored: 503 + Retry-After
        unavailable,   ///< the database cannot be reached. Nothing stored: 503 + Retry-After
        storage_full,  ///< the database has no room left. Nothing stored: 503 + Retry-After
        failed,        ///< the database failed the transaction; the log has the reason. Nothing stored: 503 + Retry-After
        unknown,       ///< COMMIT sent, no answer: close without a reply
    };
    State state = State::committed;
    std::vector<ItemOutcome> items;
};

struct IngestLimits {
    std::size_t signals = 1000;
    std::size_t signal_bytes = 64 * 1024;
    std::size_t depth = 16;
    std::size_t entities = 32;
    std::size_t entity_bytes = 512;
    engine::Duration future{std::chrono::minutes{5}};
};

/// Parses and checks the body of POST /signals: an object, an array, or NDJSON (by content type). Never throws on input. A body that is no
/// sequence of JSON values, or exceeds a limit of the request, is a problem as a whole; a bad item is one refused item.
/// `now`: the server clock, for future-dated signals. The body moves into the batch.
struct Preparation {
    std::shared_ptr<PreparedBatch> batch;   ///< set unless `refusal`
    std::optional<http::Response> refusal;  ///< the answer, when there is nothing to store
};
Preparation prepare(http::Request& request, const Caller& caller, engine::Timestamp now, const IngestLimits& limits);

/// The reply of api.md: counts and refused items (all with ?results=all), or the single form. Not called for State::unknown.
http::Response render(const http::Request& request, const PreparedBatch& batch, const CommitOutcome& outcome);

}  // namespace catenary::api::ingest
