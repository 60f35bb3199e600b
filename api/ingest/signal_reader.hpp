#pragma once

#include "api/ingest/entity_reader.hpp"
#include "api/ingest/member_reader.hpp"
#include "api/ingest/prepared.hpp"
#include "api/ports/caller.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::ingest {

/// Reads the signals of one request one after the other into its batch: each becomes a prepared signal or a refused item with all its faults.
class SignalReader {
public:
    SignalReader(PreparedBatch& batch, const Caller& caller, engine::Timestamp now, const IngestLimits& limits);

    /// Says that the items to come are parts of `text`.
    void start(std::string_view text) { text_ = text; }
    /// Reads one item to its end. Throws simdjson::simdjson_error when it is no JSON; nothing is kept of it then.
    void read(ondemand::object object);
    /// The same for an item that need not be an object.
    void read(ondemand::value& value);
    /// Keeps what was read last, which took `bytes` of the body.
    void keep(std::uint32_t index, std::size_t bytes);
    /// An item that is not read: no object, no JSON, too long.
    void refuse(std::uint32_t index, engine::FaultCode code, std::string detail);

private:
    void member(std::size_t index, ondemand::value& value, const Place& place);
    void check_time(std::string_view text, const Place& place);
    void check_source(std::string_view given, const Place& place);
    void check_severity(std::string_view word, const Place& place);
    std::span<const std::string_view> attack_ids(ondemand::value& value, const At& at, std::string_view prefix);
    std::string_view derived_id();

    PreparedBatch* batch_;
    const Caller* caller_;
    engine::Timestamp now_;
    IngestLimits limits_;
    MemberReader members_;
    EntityReader entities_;
    std::string_view text_;
    PreparedSignal signal_;
    FaultBudget said_;
    std::vector<std::string_view> ids_;
    std::string scratch_;
};

}  // namespace catenary::api::ingest
