#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "server/lanes/stored_names.hpp"
#include "server/lanes/stored_row.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace catenary::server {

/// A control entry as stored.
struct ControlEntry {
    engine::Position position;
    engine::TenantId tenant;
    engine::Timestamp admitted;
    std::string kind;
    std::string body;
};

/// Takes the log's entries in position order.
class LogSink {
public:
    virtual ~LogSink() = default;
    /// Signals of one batch, in position order; `names` knows what they name. Views live during the call.
    virtual void signals(std::int16_t lane, std::span<const StoredRow> rows, const StoredNames& names) = 0;
    virtual void control(std::int16_t lane, const ControlEntry& entry) = 0;
    /// Everything up to `position` has been passed on.
    virtual void reached(engine::Position position) = 0;
    /// Asked between batches; true ends the reading early.
    virtual bool stopping() = 0;
};

/// Reads the log of all lanes back from the store, in position order, batch by batch. One thread; throws PqError, and std::runtime_error when
/// the stored rows are not what the batches say.
class LogReader {
public:
    virtual ~LogReader() = default;

    /// The position that the next entry will get.
    virtual engine::Position end() = 0;

    /// Passes on from <= position < to, but for signals of days that are no longer kept. Both ends lie between batches.
    /// A call that begins where the last one ended costs about its own entries; any other has to look for its begin first.
    virtual void read(engine::Position from, engine::Position to, LogSink& sink) = 0;
};

}  // namespace catenary::server
