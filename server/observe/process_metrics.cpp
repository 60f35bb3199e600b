#include "server/observe/process_metrics.hpp"

#include <fmt/format.h>

#include <string_view>

namespace catenary::server::observe {
namespace {

class Text {
public:
    template <class T>
    void gauge(std::string_view name, std::string_view help, T value) { add(name, "gauge", help, value); }
    template <class T>
    void counter(std::string_view name, std::string_view help, T value) { add(name, "counter", help, value); }
    std::string take() { return std::move(text_); }

private:
    template <class T>
    void add(std::string_view name, std::string_view type, std::string_view help, T value) {
        text_ += fmt::format("# HELP catenary_{0} {1}\n# TYPE catenary_{0} {2}\ncatenary_{0} {3}\n", name, help, type, value);
    }
    std::string text_;
};

}  // namespace

std::string process_metrics(const CommitterStatus& committer, const LeaderStatus& lanes, const pg::Pool::Usage& pool, std::size_t hand_off_bytes) {
    Text text;
    text.gauge("ingest_running", "1 while the committer is connected.", committer.state == CommitterStatus::State::running ? 1 : 0);
    text.gauge("ingest_waiting_signals", "Signals that wait for their commit.", committer.waiting_items);
    text.gauge("ingest_waiting_bytes", "Request bytes that wait for their commit.", committer.waiting_bytes);
    text.counter("ingest_groups_total", "Transactions committed.", committer.groups);
    text.counter("signals_accepted_total", "Signals stored.", committer.accepted);
    text.counter("signals_duplicate_total", "Signals that were there already.", committer.duplicates);
    text.counter("signals_conflict_total", "Signals refused because their id stands for other content.", committer.conflicts);
    text.counter("signals_late_total", "Signals behind their tenant's watermark.", committer.late);
    text.counter("ingest_overloaded_total", "Requests refused because too much was waiting.", committer.overloaded);
    text.counter("ingest_unavailable_total", "Requests whose transaction failed before its COMMIT.", committer.unavailable);
    text.counter("ingest_unknown_total", "Requests whose COMMIT was not answered.", committer.unknown);
    text.gauge("dedup_entries", "Signals that the set of repeats knows.", committer.dedup_entries);
    text.counter("dedup_evicted_total", "Signals that it forgot to stay within its memory.", committer.dedup_evicted);
    text.counter("dedup_missed_total", "Transactions that met stored keys which the set did not know.", committer.key_collisions);
    text.gauge("lanes_leading", "1 while this process leads the lanes and has caught up with the log of before its start.",
               lanes.state == LeaderStatus::State::leading ? 1 : 0);
    text.counter("lane_entries_total", "Log entries applied.", lanes.applied);
    text.counter("lane_read_back_total", "Groups that the lane worker read from the store instead of memory.", lanes.read_back);
    text.counter("lane_commits_total", "Result transactions committed.", lanes.result_commits);
    text.gauge("hand_off_bytes", "Committed signals on their way to the lane worker.", hand_off_bytes);
    text.gauge("pool_connections", "Database connections open for requests.", pool.open);
    text.gauge("pool_connections_in_use", "Database connections that requests use now.", pool.in_use);
    text.counter("pool_timeouts_total", "Requests that found no connection in time.", pool.timeouts);
    return text.take();
}

}  // namespace catenary::server::observe
