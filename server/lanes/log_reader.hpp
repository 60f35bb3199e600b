#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "server/lanes/leaf_rows.hpp"
#include "server/lanes/stored_names.hpp"
#include "server/lanes/stored_row.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

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
    /// `most_bytes`: of rows and names held.
    LogReader(PqConnection& connection, std::size_t most_bytes);

    /// The position that the next entry will get.
    engine::Position end();

    enum class Start {
        log_begin,  ///< `read` is called with ever greater positions from the first one on: every leaf is read once
        anywhere,   ///< leaves are searched from their ends
    };
    /// Passes on from <= position < to. Both ends lie between batches.
    void read(engine::Position from, engine::Position to, Start start, LogSink& sink);

private:
    struct Batch {
        std::int16_t lane = 0;
        engine::Position first;
        engine::Position last;
        bool control = false;
        std::vector<std::pair<Day, std::int32_t>> leaves;
    };
    std::vector<Batch> batches(engine::Position from, engine::Position to);
    std::map<engine::Position, ControlEntry> controls(engine::Position from, engine::Position to);
    std::vector<RawRow> rows(const std::vector<Batch>& batches, engine::Position from, engine::Position to, Start start);
    void window(const std::vector<Batch>& batches, engine::Position from, engine::Position to, Start start, LogSink& sink);

    PqConnection& connection_;
    LeafCalendar calendar_;
    LeafRows leaf_rows_;
    StoredNames names_;
};

}  // namespace catenary::server
