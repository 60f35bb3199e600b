#include "server/lanes/lane_worker.hpp"

#include "api/json/control_json.hpp"
#include "server/ingest/back_off.hpp"
#include "server/lanes/clock_ticks.hpp"
#include "server/lanes/lane_set.hpp"
#include "server/lanes/log_reader.hpp"
#include "server/lanes/progress_board.hpp"
#include "server/lanes/result_writer.hpp"
#include "server/lanes/signal_finder.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

namespace catenary::server {
namespace {

using Steady = std::chrono::steady_clock;
using State = LeaderStatus::State;

// Rows come in physical order by ranges of blocks: neither another scan's start nor a parallel plan may change that.
constexpr const char* settings_sql = "SET jit = off; SET synchronize_seqscans = off; SET max_parallel_workers_per_gather = 0";
constexpr std::chrono::seconds tick_round{5};
constexpr std::int64_t entries_between_discards = 5'000;

/// Another process took the lanes.
class Fenced : public std::runtime_error {
public:
    Fenced() : std::runtime_error{"another process leads the lanes now"} {}
};
/// The database failed; the same step is worth another try.
class Unavailable : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace

std::string LeaderStatus::text() const {
    switch (state) {
        case State::starting: return "starting";
        case State::replaying: return fmt::format("replaying {} %", percent);
        case State::leading: return "leading";
        case State::retrying: return "retrying: " + reason;
        case State::stopped: break;
    }
    return reason.empty() ? "stopped" : "stopped: " + reason;
}

/// starting ──▶ replaying ──▶ leading ──▶ stopped (asked to, fenced, or the log is damaged)
///    ▲             ▲▼           ▲▼
///    └──────── retrying (the database cannot be reached; goes on where it was)
class LaneWorker::Loop final : private LogSink {
public:
    Loop(LaneWorkerOptions options, engine::Catalogue shipped, Clock clock, Watermarks& watermarks, SourceRegistry& sources, HandOff& hand_off,
         pg::LaneProgress& progress)
        : options_{std::move(options)},
          clock_{std::move(clock)},
          sources_{sources},
          hand_off_{hand_off},
          lanes_{std::move(shipped)},
          writer_{options_.dsn, lanes_, ticks_, watermarks, progress} {}
    ~Loop() override { stop(); }

    void start() {
        board_.enter(State::starting);
        thread_ = std::thread{[this] { run(); }};
    }

    void stop() {
        {
            const std::lock_guard lock{wait_mutex_};
            stop_asked_ = true;
        }
        stop_changed_.notify_all();
        hand_off_.nudge();
        if (thread_.joinable()) thread_.join();
    }

    void nudge() { hand_off_.nudge(); }
    LeaderStatus status() const { return board_.read(); }

private:
    struct Connection {
        Connection(const std::string& dsn, std::size_t bytes) : session{ready(dsn)}, reader{session, bytes / 4 * 3}, finder{session, bytes / 4} {}
        static PqConnection ready(const std::string& dsn) {
            PqConnection session{dsn};
            session.run(settings_sql);
            return session;
        }
        PqConnection session;
        LogReader reader;
        SignalFinder finder;
    };

    void run() {
        std::string reason;
        try {
            BackOff back_off{std::chrono::milliseconds{50}, std::chrono::milliseconds{5'000}};
            while (!stopping()) {
                try {
                    go_on();
                    back_off.succeeded();
                } catch (const PqError& error) {
                    retry(error.what(), back_off);
                } catch (const Unavailable& error) {
                    retry(error.what(), back_off);
                }
            }
            if (connection_ && connection_->session.good() && replayed_) write();  // as much as is applied
        } catch (const PqError& error) {
            spdlog::warn("event=lane_stop_unwritten reason=\"{}\"", error.what());  // replayed at the next start
        } catch (const Unavailable& error) {
            spdlog::warn("event=lane_stop_unwritten reason=\"{}\"", error.what());
        } catch (const std::exception& error) {
            reason = error.what();
            spdlog::error("event=lane_stopped reason=\"{}\"", reason);
        }
        hand_off_.close();
        connection_.reset();
        board_.enter(State::stopped, reason);
    }

    void retry(const std::string& reason, BackOff& back_off) {
        hand_off_.close();  // what is committed meanwhile is read back; ingest need not wait for us
        connection_.reset();
        board_.enter(State::retrying, "the database cannot be reached");
        spdlog::warn("event=lane_retrying reason=\"{}\"", reason);
        back_off.failed(Steady::now());
        std::unique_lock lock{wait_mutex_};
        stop_changed_.wait_until(lock, back_off.next(), [this] { return stop_asked_; });
    }

    /// From wherever we are until asked to stop. Throws what makes us try again or give up.
    void go_on() {
        if (!connection_) connection_ = std::make_unique<Connection>(options_.dsn, options_.read_back_bytes);
        if (!leads_) take_over();
        write();  // what a failure left unwritten
        if (!replayed_) replay();
        if (stopping()) return;
        hand_off_.open();
        board_.enter(State::leading);
        while (!stopping()) step();
    }

    void take_over() {
        LaneLeases leases;
        if (writer_.store().take_over(options_.owner, leases) != WriteFate::committed) throw Unavailable{writer_.store().reason()};
        writer_.lead(std::move(leases));
        leads_ = true;
    }

    void replay() {
        const auto begin = Steady::now();
        replay_end_ = connection_->reader.end();
        board_.enter(State::replaying);
        connection_->reader.read(next(), replay_end_, LogReader::Start::log_begin, *this);
        if (stopping()) return;
        for (const auto lane : discardable_) writer_.discard(lane);
        discardable_.clear();
        write();
        replayed_ = true;
        const std::chrono::duration<double> took = Steady::now() - begin;
        const auto status = board_.read();
        spdlog::info("event=lanes_replayed entries={} seconds={:.3f}", status.applied, took.count());
    }

    /// One group handed over, or a look at the log; then whatever is due.
    void step() {
        const auto now = Steady::now();
        const auto write_at = last_write_ + options_.chunk_time;
        auto group = hand_off_.take(writer_.unwritten() ? std::min(now + options_.poll, write_at) : now + options_.poll);
        if (group && group->last > through_) {
            if (group->first > next()) read_back(group->first);
            apply(*group);
        } else if (!group) {
            const auto end = connection_->reader.end();
            if (end > next()) read_back(end);
        }
        if (writer_.unwritten() && Steady::now() >= last_write_ + options_.chunk_time) write();
        if (Steady::now() >= next_ticks_) tick();
    }

    void read_back(engine::Position to) {
        board_.update([](LeaderStatus& status) { ++status.read_back; });
        connection_->reader.read(next(), to, LogReader::Start::anywhere, *this);
    }

    /// A group is applied whole even when writing fails in its middle: it cannot be read back by halves.
    void apply(const CommittedGroup& group) {
        std::exception_ptr failure;
        for (const auto& lane : group.lanes) {
            for (const auto& request : lane.requests) {
                if (stopping()) return;
                lanes_.apply(lane.lane, request, group.received);
                const auto count = static_cast<std::int64_t>(request.accepted.size());
                counted(lane.lane, engine::Position{request.first.value() + count - 1}, count);
                if (failure) continue;
                try {
                    write_if_much();
                } catch (const PqError&) {
                    failure = std::current_exception();
                } catch (const Unavailable&) {
                    failure = std::current_exception();
                }
            }
        }
        reached(group.last);
        if (failure) std::rethrow_exception(failure);
    }

    // LogSink: entries read from the store.
    void signals(std::int16_t lane, std::span<const StoredRow> rows, const StoredNames& names) override {
        if (!replayed_) note_sources(rows, names);
        const auto done = writer_.done(lane);
        const auto fresh = std::partition_point(rows.begin(), rows.end(), [&](const StoredRow& row) { return row.position <= done; });
        const auto old = static_cast<std::size_t>(fresh - rows.begin());
        if (old > 0) {
            lanes_.apply(lane, rows.first(old), names);
            repeated(lane, static_cast<std::int64_t>(old));
        }
        if (fresh == rows.end()) return;
        discard_if_any(lane);
        lanes_.apply(lane, rows.subspan(old), names);
        counted(lane, rows.back().position, static_cast<std::int64_t>(rows.size() - old));
        write_if_much();
    }

    void control(std::int16_t lane, const ControlEntry& entry) override {
        const bool old = entry.position <= writer_.done(lane);
        if (!old) discard_if_any(lane);
        apply(lane, entry);
        if (old) {
            repeated(lane, 1);
            return;
        }
        counted(lane, entry.position, 1);
        write_if_much();
    }

    void reached(engine::Position position) override {
        through_ = std::max(through_, position);
        if (replayed_) return;
        const auto percent = static_cast<int>(through_.value() * 100 / std::max<std::int64_t>(replay_end_.value() - 1, 1));
        board_.update([percent](LeaderStatus& status) { status.percent = percent; });
    }

    bool stopping() override {
        const std::lock_guard lock{wait_mutex_};
        return stop_asked_;
    }

    void apply(std::int16_t lane, const ControlEntry& entry) {
        const auto body = api::json::control_from_text(entry.kind, entry.body);
        if (!body) {
            throw std::runtime_error(
                fmt::format("the control entry at position {} cannot be read: {} {}", entry.position.value(), body.error().pointer, body.error().detail));
        }
        auto& engine = lanes_.of(lane);
        std::vector<engine::StoredSignal> history;
        const auto request = engine.history_for(entry.tenant, *body);
        if (request) {
            const auto* change = std::get_if<engine::PatternChange>(&*body);
            if (change == nullptr) throw std::runtime_error("history is asked for by patterns only");
            history = connection_->finder.history(*request, entry.position, *change->pattern);
        }
        engine.apply(entry.position, entry.tenant, entry.admitted, *body, history);
        if (std::holds_alternative<engine::Tick>(*body)) ticks_.note_tick(entry.tenant, entry.admitted);
    }

    /// Entries whose results are stored already.
    void repeated(std::int16_t lane, std::int64_t count) {
        board_.update([count](LeaderStatus& status) {
            status.applied += count;
            status.replayed += count;
        });
        discardable_.insert(lane);
        since_discard_ += count;
        if (since_discard_ < entries_between_discards) return;
        for (const auto each : std::exchange(discardable_, {})) writer_.discard(each);
        since_discard_ = 0;
    }

    void discard_if_any(std::int16_t lane) {
        if (discardable_.erase(lane) > 0) writer_.discard(lane);
    }

    void counted(std::int16_t lane, engine::Position position, std::int64_t count) {
        writer_.applied(lane, position, count);
        through_ = std::max(through_, position);
        board_.update([count](LeaderStatus& status) { status.applied += count; });
    }

    void write_if_much() {
        if (writer_.pending() >= static_cast<std::int64_t>(options_.chunk_entries) || Steady::now() >= last_write_ + options_.chunk_time) write();
    }

    void write() {
        if (!writer_.unwritten()) return;
        switch (writer_.write(connection_->finder)) {
            case WriteFate::committed: break;
            case WriteFate::failed: throw Unavailable{writer_.store().reason()};
            case WriteFate::fenced: throw Fenced{};
        }
        last_write_ = Steady::now();
        board_.update([](LeaderStatus& status) { ++status.result_commits; });
    }

    void tick() {
        next_ticks_ = Steady::now() + tick_round;
        const auto tenants = ticks_.due(clock_());
        if (tenants.empty()) return;
        if (writer_.store().append_ticks(tenants) != WriteFate::committed) throw Unavailable{writer_.store().reason()};
        hand_off_.nudge();
    }

    void note_sources(std::span<const StoredRow> rows, const StoredNames& names) {
        std::map<std::pair<engine::TenantId, std::int32_t>, std::pair<engine::Timestamp, engine::Timestamp>> last;  // event and admission by definition
        for (const auto& row : rows) {
            auto& [event, received] = last[{row.tenant, row.definition}];
            event = std::max(event, row.time);
            received = std::max(received, row.received);
        }
        for (const auto& [of, times] : last) {
            const auto& definition = names.definition(of.second);
            sources_.note(of.first, definition.source, definition.domain, 0, times.first, times.second);
        }
    }

    engine::Position next() const { return engine::Position{through_.value() + 1}; }

    const LaneWorkerOptions options_;
    const Clock clock_;
    SourceRegistry& sources_;
    HandOff& hand_off_;
    ProgressBoard board_;
    std::mutex wait_mutex_;  // guards stop_asked_
    std::condition_variable stop_changed_;
    bool stop_asked_ = false;
    std::thread thread_;

    // Of the worker's thread.
    LaneSet lanes_;
    ClockTicks ticks_;
    ResultWriter writer_;
    std::unique_ptr<Connection> connection_;
    bool leads_ = false;
    bool replayed_ = false;
    engine::Position through_{0};  // every entry up to here has been applied
    engine::Position replay_end_{0};
    std::set<std::int16_t> discardable_;
    std::int64_t since_discard_ = 0;
    Steady::time_point last_write_{};
    Steady::time_point next_ticks_{};
};

LaneWorker::LaneWorker(LaneWorkerOptions options, engine::Catalogue shipped, Clock clock, Watermarks& watermarks, SourceRegistry& sources, HandOff& hand_off,
                       pg::LaneProgress& progress)
    : loop_{std::make_unique<Loop>(std::move(options), std::move(shipped), std::move(clock), watermarks, sources, hand_off, progress)} {}
LaneWorker::~LaneWorker() = default;

void LaneWorker::start() { loop_->start(); }
void LaneWorker::stop() { loop_->stop(); }
void LaneWorker::nudge() { loop_->nudge(); }
LeaderStatus LaneWorker::status() const { return loop_->status(); }
bool LaneWorker::ready() const { return status().state == State::leading; }

}  // namespace catenary::server
