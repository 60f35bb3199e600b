#include "server/lanes/pq_log_reader.hpp"

#include "server/ingest/pq_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace catenary::server {
namespace {

constexpr const char* end_sql = "SELECT next_position FROM log";
constexpr const char* kept_sql = "SELECT coalesce(kept_from - DATE '1970-01-01', -2147483648) FROM retention";
constexpr const char* batches_sql =
    "SELECT lane, first, last, control, array_to_string(leaf_days, ','), array_to_string(leaf_rows, ',') FROM batch "
    "WHERE lane = ANY (ARRAY(SELECT id FROM lane)) AND first >= $1 AND first < $2 ORDER BY first";
constexpr const char* controls_sql = "SELECT position, tenant, admitted, kind, body FROM control WHERE position >= $1 AND position < $2 ORDER BY position";

// Positions at a time: rows are looked at several times, best while they are still in the processor's cache.
constexpr std::int64_t window_positions = 4'000;

std::vector<std::int32_t> numbers(std::string_view list) {
    std::vector<std::int32_t> values;
    while (!list.empty()) {
        const auto end = std::min(list.find(','), list.size());
        values.push_back(static_cast<std::int32_t>(std::stol(std::string{list.substr(0, end)})));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return values;
}

}  // namespace

PqLogReader::PqLogReader(PqConnection& connection, std::size_t most_bytes)
    : connection_{connection},
      calendar_{LeafCalendar::load(connection)},
      leaf_rows_{connection, calendar_, most_bytes / 4 * 3},
      name_source_{connection},
      names_{name_source_, most_bytes / 4} {}

engine::Position PqLogReader::end() { return engine::Position{connection_.query(end_sql).int8(0, 0)}; }

std::vector<PqLogReader::Batch> PqLogReader::batches(engine::Position from, engine::Position to) {
    const std::vector<PqParameter> parameters{int8_value(from.value()), int8_value(to.value())};
    const auto rows = connection_.query(batches_sql, parameters);
    std::vector<Batch> list;
    for (int row = 0; row < rows.rows(); ++row) {
        Batch batch{
            rows.int2(row, 0), engine::Position{rows.int8(row, 1)}, engine::Position{rows.int8(row, 2)}, rows.text(row, 3) != std::string_view{"\0", 1}, {}};
        const auto days = numbers(rows.text(row, 4));
        const auto counts = numbers(rows.text(row, 5));
        if (days.size() != counts.size()) throw std::runtime_error(fmt::format("the batch at position {} is damaged", batch.first.value()));
        for (std::size_t i = 0; i < days.size(); ++i) {
            if (days[i] >= kept_from_) batch.leaves.emplace_back(days[i], counts[i]);
        }
        list.push_back(std::move(batch));
    }
    return list;
}

std::map<engine::Position, ControlEntry> PqLogReader::controls(engine::Position from, engine::Position to) {
    const std::vector<PqParameter> parameters{int8_value(from.value()), int8_value(to.value())};
    const auto rows = connection_.query(controls_sql, parameters);
    std::map<engine::Position, ControlEntry> entries;
    for (int row = 0; row < rows.rows(); ++row) {
        const engine::Position position{rows.int8(row, 0)};
        entries.emplace(position, ControlEntry{position, engine::TenantId{rows.int4(row, 1)}, from_postgres(rows.int8(row, 2)), std::string{rows.text(row, 3)},
                                               std::string{rows.text(row, 4)}});
    }
    return entries;
}

std::vector<RawRow> PqLogReader::rows(const std::vector<Batch>& batches, engine::Position from, engine::Position to) {
    std::map<Day, std::int64_t> counts;
    for (const auto& batch : batches) {
        for (const auto& [leaf, count] : batch.leaves) counts[leaf] += count;
    }
    std::vector<RawRow> all;
    for (const auto& [leaf, count] : counts) {
        auto some = leaf_rows_.next(leaf, from, to, count);
        std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    if (counts.size() > 1) {
        std::sort(all.begin(), all.end(), [](const RawRow& left, const RawRow& right) { return left.position() < right.position(); });
    }
    return all;
}

Day PqLogReader::kept_from() { return connection_.query(kept_sql).int4(0, 0); }

std::vector<RawRow> PqLogReader::kept_rows(const std::vector<Batch>& batches, engine::Position from, engine::Position to) {
    try {
        return rows(batches, from, to);
    } catch (const PqError&) {
        throw;
    } catch (const std::runtime_error&) {
        if (kept_from() == kept_from_) throw;
        throw PqError{"leaves were dropped while they were read", "", false};
    }
}

void PqLogReader::read(engine::Position from, engine::Position to, LogSink& sink) {
    kept_from_ = kept_from();
    if (std::exchange(reached_, std::nullopt) != from) leaf_rows_.restart();
    leaf_rows_.stored(to);
    while (from < to && !sink.stopping()) {
        const engine::Position window_end{std::min(to.value(), from.value() + window_positions)};
        const auto list = batches(from, window_end);
        const auto last = list.empty() ? window_end.value() - 1 : std::max(list.back().last.value(), window_end.value() - 1);
        const engine::Position end{last + 1};
        window(list, from, end, sink);
        if (!sink.stopping()) sink.reached(engine::Position{last});
        from = end;
    }
    if (!sink.stopping()) reached_ = from;
}

void PqLogReader::window(const std::vector<Batch>& batches, engine::Position from, engine::Position to, LogSink& sink) {
    if (batches.empty()) return;
    const auto raw = kept_rows(batches, from, to);
    std::vector<StoredRow> decoded;
    decoded.reserve(raw.size());
    for (const auto& row : raw) decoded.push_back(stored_row(row.tuple()));
    names_.load(decoded);
    const bool any_control = std::any_of(batches.begin(), batches.end(), [](const Batch& batch) { return batch.control; });
    const auto entries = any_control ? controls(from, to) : std::map<engine::Position, ControlEntry>{};

    auto next = decoded.begin();
    for (const auto& batch : batches) {
        if (sink.stopping()) return;
        if (batch.control) {
            const auto entry = entries.find(batch.first);
            if (entry == entries.end()) throw std::runtime_error(fmt::format("the control entry at position {} is missing", batch.first.value()));
            sink.control(batch.lane, entry->second);
            sink.reached(batch.last);
            continue;
        }
        const auto end = std::find_if(next, decoded.end(), [&](const StoredRow& row) { return row.position > batch.last; });
        std::int64_t expected = 0;
        for (const auto& [leaf, count] : batch.leaves) expected += count;
        if (end - next != expected || (next != end && next->position < batch.first)) {
            throw std::runtime_error(fmt::format("the batch at position {} names {} rows, but {} are there", batch.first.value(), expected, end - next));
        }
        sink.signals(batch.lane, {next, end}, names_);
        sink.reached(batch.last);
        next = end;
    }
}

}  // namespace catenary::server
