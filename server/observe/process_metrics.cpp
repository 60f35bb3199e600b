#include "server/observe/process_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace catenary::server::observe {
namespace {

class Text {
public:
    template <class T>
    void gauge(std::string_view name, std::string_view help, T value) {
        add(name, "gauge", help, value);
    }
    template <class T>
    void counter(std::string_view name, std::string_view help, T value) {
        add(name, "counter", help, value);
    }
    std::string take() { return std::move(text_); }

private:
    template <class T>
    void add(std::string_view name, std::string_view type, std::string_view help, T value) {
        text_ += fmt::format("# HELP catenary_{0} {1}\n# TYPE catenary_{0} {2}\ncatenary_{0} {3}\n", name, help, type, value);
    }
    std::string text_;
};

double seconds(std::chrono::microseconds span) { return std::chrono::duration<double>(span).count(); }

void write_ingest(Text& text, const CommitterStatus& committer) {
    text.gauge("ingest_running", "1 while the committer is connected.", committer.state == CommitterStatus::State::running ? 1 : 0);
    text.gauge("ingest_waiting_signals", "Signals that wait for their commit.", committer.waiting_items);
    text.gauge("ingest_waiting_signals_limit", "How many may wait; a request beyond them is refused with 503.", committer.most_waiting_items);
    text.gauge("ingest_waiting_bytes", "Memory held by signals that wait for their commit.", committer.waiting_bytes);
    text.gauge("ingest_waiting_bytes_limit", "How much they may hold; a request beyond it is refused with 503.", committer.most_waiting_bytes);
    text.counter("ingest_groups_total", "Transactions committed.", committer.groups);
    text.counter("ingest_commit_seconds_total", "Time that transactions of signals took, from the first row to the reply to COMMIT.",
                 seconds(committer.commit_time));
    text.counter("ingest_wait_seconds_total", "Time that requests waited for their transaction to begin, summed.", seconds(committer.wait_time));
    text.counter("signals_accepted_total", "Signals stored.", committer.accepted);
    text.counter("signals_duplicate_total", "Signals that were there already.", committer.duplicates);
    text.counter("signals_conflict_total", "Signals refused because their id stands for other content.", committer.conflicts);
    text.counter("signals_late_total", "Signals behind their tenant's watermark.", committer.late);
    text.counter("ingest_overloaded_total", "Requests refused because too much was waiting.", committer.overloaded);
    text.gauge("ingest_storage_full", "1 while nothing is taken in for want of room on the database's disk.", committer.storage_full ? 1 : 0);
    text.counter("ingest_without_room_total", "Requests refused for want of room on the database's disk.", committer.without_room);
    text.counter("ingest_failures_total", "What the database failed of ingest: transactions, look-ups, leaves of coming days.", committer.failures);
    text.counter("ingest_unavailable_total", "Requests whose transaction failed before its COMMIT, or was not tried.", committer.unavailable);
    text.counter("ingest_unknown_total", "Requests whose COMMIT was not answered.", committer.unknown);
    text.gauge("dedup_entries", "Signals that the set of repeats knows.", committer.dedup_entries);
    text.counter("dedup_evicted_total", "Signals that it forgot to stay within its memory.", committer.dedup_evicted);
    text.counter("dedup_missed_total", "Transactions that met stored keys which the set did not know.", committer.key_collisions);
}

void write_lanes(Text& text, const ProcessState& state, engine::Timestamp now) {
    const auto& lanes = state.lanes;
    text.gauge("lanes_leading", "1 while this process leads the lanes and has caught up with the log of before its start.",
               lanes.state == LeaderStatus::State::leading ? 1 : 0);
    text.gauge("lanes_following", "1 while it follows another process that leads.", lanes.state == LeaderStatus::State::following ? 1 : 0);
    text.gauge("lanes_replayed_percent", "How much of the log of before its start it has read.",
               lanes.state == LeaderStatus::State::leading ? 100 : lanes.percent);
    text.gauge("lane_lag_signals", "Signals committed by this process that no lane has read yet.",
               std::max<std::int64_t>(0, state.committer.last.value() - lanes.reached.value()));
    text.counter("lane_entries_total", "Log entries applied.", lanes.applied);
    text.counter("lane_entries_replayed_total", "Of them, entries applied again after a start.", lanes.replayed);
    text.counter("lane_read_back_total", "Groups that the lane worker read from the store instead of memory.", lanes.read_back);
    text.counter("lane_commits_total", "Result transactions committed.", lanes.result_commits);
    text.counter("lane_apply_seconds_total", "Time in the engine on signals that were handed over, writes that became due in between included.",
                 seconds(lanes.apply_time));
    text.counter("lane_read_seconds_total", "Time of reading entries back from the store, the engine's work on them included.", seconds(lanes.read_time));
    text.counter("lane_write_seconds_total", "Time of result transactions.", seconds(lanes.write_time));
    text.counter("rematches_total", "Times that signals behind the horizon were matched again with what is stored of their time.", lanes.rematches.counts.made);
    text.counter("rematch_signals_total", "Signals read for that.", lanes.rematches.counts.signals);
    text.counter("rematches_cut_total", "Of those times, with too much to read or match, so that evidence may be missing.", lanes.rematches.counts.cut);
    text.counter("rematches_given_up_total", "Signals behind the horizon that stay unmatched: too many waited, or there was too much to read.",
                 lanes.rematches.counts.given_up);
    text.gauge("rematch_backlog_signals", "Signals behind the horizon that wait to be matched again.", lanes.rematches.backlog);
    text.counter("rematch_seconds_total", "Time of it, which the lanes stand still for.", seconds(lanes.rematch_time));
    const auto& snapshots = lanes.snapshots;
    text.gauge("snapshot_position", "Log position of the newest saved state of the lanes; 0: none.", snapshots.position.value());
    text.gauge("snapshot_bytes", "Its size before packing.", snapshots.bytes);
    text.gauge("snapshot_pause_seconds", "How long making the newest one kept the lanes.", seconds(snapshots.pause));
    text.gauge("snapshot_store_seconds", "How long packing and storing it took, beside the lanes.", seconds(snapshots.storing));
    text.counter("snapshots_stored_total", "Saved states stored.", snapshots.stored);
    text.counter("snapshots_failed_total", "Saved states that could not be stored.", snapshots.failed);
    text.counter("snapshots_refused_total", "Saved states not taken at a start: damaged, or of another version.", snapshots.refused);
    text.gauge("lanes_carried_over",
               "1 when neither a saved state nor the log alone told what was reported before, and the lanes went on from stored incidents.",
               lanes.beginning == Beginning::carried ? 1 : 0);
    text.gauge("start_position", "Position of the saved state that this process started from; 0: from the beginning of the log.",
               snapshots.started_from.value());
    const auto& hand_off = state.hand_off;
    text.gauge("hand_off_groups", "Committed groups on their way to the lane worker.", hand_off.groups);
    text.gauge("hand_off_bytes", "Memory they hold.", hand_off.bytes);
    text.gauge("hand_off_bytes_limit", "How much they may hold; a group beyond it is read back from the store.", hand_off.capacity);
    text.gauge("hand_off_oldest_seconds", "Age of the oldest of them: how far results are behind the signals in memory.",
               hand_off.oldest ? std::max(0.0, seconds(now - *hand_off.oldest)) : 0.0);
    text.counter("hand_off_left_out_total", "Groups that found no room.", state.committer.left_out);
    text.counter("sources_unlisted_total", "Signals of sources beyond those that diagnostics list.", state.unlisted_sources);
}

void write_ticketing(Text& text, const tickets::Dispatcher::Usage& usage) {
    text.gauge("connectors_served", "Connectors that have a thread here; one process at a time sends for each.", usage.workers);
    text.gauge("connectors_unserved", "Connectors beyond the most threads: nothing is sent for them.", usage.unserved);
    text.gauge("outbox_waiting", "Changes of incidents that no dispatcher has taken yet.", usage.waiting);
    text.counter("tickets_delivered_total", "Tickets made or brought up to date.", usage.delivered);
    text.counter("tickets_failed_total", "Deliveries given up: refused for good, out of attempts, or the ticket is gone.", usage.failed);
    text.counter("tickets_retried_total", "Deliveries that failed and are tried again.", usage.retried);
    text.counter("tickets_in_doubt_total", "Deliveries that got no reply: looked for before they are sent again.", usage.doubtful);
    text.counter("ticket_polls_total", "Looks for changes in ticket systems.", usage.polls);
    text.counter("ticket_changes_total", "Changes of tickets' states that somebody made there.", usage.remote_changes);
    text.counter("ticket_notes_taken_total", "People's notes on tickets that became comments.", usage.notes_taken);
    text.counter("ticket_notes_cut_total", "Those that were longer than a comment may be.", usage.notes_cut);
    text.counter("ticket_notes_left_total", "Times that a ticket's notes could not be read and wait for its next change.", usage.notes_left);
    text.counter("ticket_hooks_followed_total", "Hooks of ticket systems that led to a look at the ticket, or reported how it is.", usage.hooks_followed);
    text.counter("ticket_hooks_retried_total", "Looks after a hook that failed and are taken again.", usage.hooks_retried);
    text.counter("ticket_hooks_left_total", "Hooks given up after five looks that failed: the next poll finds what there is.", usage.hooks_left);
}

}  // namespace

std::string process_metrics(const ProcessState& state, engine::Timestamp now) {
    Text text;
    write_ingest(text, state.committer);
    write_lanes(text, state, now);
    text.counter("leaves_dropped_total", "Leaves of days that are no longer kept, dropped by this process.", state.retention.dropped);
    text.counter("leaves_postponed_total", "Rounds that dropped no more because no saved state of the lanes holds what would go.", state.retention.postponed);
    text.counter("leaves_failed_total", "Rounds of dropping leaves that the database failed.", state.retention.failed);
    write_ticketing(text, state.ticketing);
    text.counter("ticket_hooks_taken_total", "Hooks that were genuine and new.", state.hooks.taken);
    text.counter("ticket_hooks_known_total", "Genuine ones of deliveries that are known.", state.hooks.known);
    text.counter("ticket_hooks_not_genuine_total", "Those of no connector, or not signed as it knows it: answered 404.", state.hooks.not_genuine);
    text.counter("ticket_hooks_refused_total", "Genuine ones that could not be read, or came while too many waited.", state.hooks.refused);
    if (state.room) {
        text.gauge("storage_data_free_bytes", "Left on the disk of the private PostgreSQL's data.", state.room->data_free);
        text.gauge("storage_wal_free_bytes", "Left on the disk of its WAL.", state.room->wal_free);
        text.counter("storage_shortages_total", "Times that one of them came near its end.", state.room->shortages);
    }
    text.gauge("backtest_running", "1 while this process runs a backtest.", state.backtests.running ? 1 : 0);
    text.counter("backtests_done_total", "Backtests that this process has run to their end.", state.backtests.done);
    text.counter("backtests_failed_total", "Backtests that failed here.", state.backtests.failed);
    text.counter("backtests_cancelled_total", "Backtests that were cancelled while they ran here.", state.backtests.cancelled);
    text.counter("backtest_signals_total", "Signals read for backtests that are done.", state.backtests.signals);
    text.gauge("pool_connections", "Database connections open for requests.", state.pool.open);
    text.gauge("pool_connections_in_use", "Database connections that requests use now.", state.pool.in_use);
    text.gauge("pool_connections_limit", "How many there may be.", state.pool.most);
    text.counter("pool_timeouts_total", "Requests that found no connection in time.", state.pool.timeouts);
    text.gauge("keys_remembered", "API keys found valid lately.", state.keys.known);
    text.gauge("keys_refused_remembered", "Tokens found invalid lately.", state.keys.strangers);
    text.counter("key_look_ups_total", "Tokens that the database was asked for.", state.keys.look_ups);
    return text.take();
}

}  // namespace catenary::server::observe
