#pragma once

#include "server/lanes/leaf_rows.hpp"
#include "server/lanes/log_reader.hpp"
#include "server/lanes/pq_name_source.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace catenary::server {

/// From PostgreSQL.
class PqLogReader final : public LogReader {
public:
    /// `most_bytes`: of rows and names held.
    PqLogReader(PqConnection& connection, std::size_t most_bytes);

    engine::Position end() override;
    void read(engine::Position from, engine::Position to, LogSink& sink) override;

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
    std::vector<RawRow> rows(const std::vector<Batch>& batches, engine::Position from, engine::Position to);
    /// The same; a PqError, after which another call finds what is kept, when leaves were dropped meanwhile.
    std::vector<RawRow> kept_rows(const std::vector<Batch>& batches, engine::Position from, engine::Position to);
    Day kept_from();
    void window(const std::vector<Batch>& batches, engine::Position from, engine::Position to, LogSink& sink);

    PqConnection& connection_;
    LeafCalendar calendar_;
    Day kept_from_ = 0;                        ///< leaves of days before it are gone, and what they held is passed over
    std::optional<engine::Position> reached_;  ///< up to here `leaf_rows_` was read without a break
    LeafRows leaf_rows_;
    PqNameSource name_source_;
    StoredNames names_;
};

}  // namespace catenary::server
