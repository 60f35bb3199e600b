#include "server/lanes/lane_tenure.hpp"

#include "api/json/control_json.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace catenary::server {
namespace {

using State = LeaderStatus::State;

constexpr const char* another_leads = "another process leads the lanes now";
constexpr std::chrono::seconds tick_round{5};
constexpr std::int64_t entries_between_discards = 5'000;
constexpr int pause_share = 20;  // the lanes may stand for one part in so many while states are saved

}  // namespace

LaneTenure::LaneTenure(TenureSurroundings around)
    : around_{around},
      lanes_{around.shipped, this},
      writer_{around.database.results(), lanes_, ticks_, around.watermarks, around.progress},
      keeper_{around.database.snapshot_keeper(around.board)} {}

template <class Work>
void LaneTenure::timed(std::chrono::microseconds LeaderStatus::*stage, Work&& work) {
    const auto begin = now();
    work();
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now() - begin);
    around_.board.update([&](LeaderStatus& status) { status.*stage += took; });
}

void LaneTenure::run() {
    if (!session_) session_ = around_.database.connect();
    if (!begun_) begin();
    if (!leads_) {
        follow();
        if (stopping()) return;
        take_over();
    } else if (!session_->leadership().acquire()) {
        throw Fenced{another_leads};  // the lock went with the session that broke
    } else {
        check_not_set_back(session_->leadership().followed().done);
    }
    write();  // what a failure left unwritten
    if (!replayed_) replay();
    if (stopping()) return;
    around_.hand_off.open();
    around_.board.enter(State::leading);
    spdlog::info("event=lanes_led owner=\"{}\" position={}", around_.options.owner, through_.value());
    while (!stopping()) step();
}

void LaneTenure::finish() {
    if (session_ && session_->good() && replayed_) write();
}

/// One group handed over, or a look at the log when it is time for one or somebody nudged; then whatever is due.
void LaneTenure::step() {
    around_.questions.answer(lanes_);
    const auto until = writer_.unwritten() ? std::min(next_look_, last_write_ + around_.options.quiet_time) : next_look_;
    auto group = around_.hand_off.take(until);
    const auto taken = now();
    if (group && group->last > through_) {
        if (group->first > next()) read_back(group->first);
        timed(&LeaderStatus::apply_time, [&] { apply(*group); });
    } else if (!group && (taken < until || taken >= next_look_)) {
        look();
    }
    if (writer_.unwritten() && (!group || now() >= last_write_ + around_.options.chunk_time)) write();
    save_if_due();
    if (now() >= next_ticks_) tick();
    session_->leadership().beat();
}

/// Whether the log has more than was handed over, and is about to be.
void LaneTenure::look() {
    next_look_ = now() + around_.options.poll;
    const auto end = session_->log().end();
    if (end > next() && around_.hand_off.idle()) read_back(end);
}

void LaneTenure::read_back(engine::Position to) {
    around_.board.update([](LeaderStatus& status) { ++status.read_back; });
    timed(&LeaderStatus::read_time, [&] { session_->log().read(next(), to, *this); });
}

/// A group is applied whole even when writing fails in its middle: it cannot be read back by halves.
void LaneTenure::apply(const CommittedGroup& group) {
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

void LaneTenure::signals(std::int16_t lane, std::span<const StoredRow> rows, const StoredNames& names) {
    note_sources(rows, names);
    const auto done = writer_.done(lane);
    const auto fresh = std::partition_point(rows.begin(), rows.end(), [&](const StoredRow& row) { return row.position <= done; });
    const auto old = static_cast<std::size_t>(fresh - rows.begin());
    if (old > 0) {
        lanes_.apply(lane, rows.first(old), names);
        repeated(lane, static_cast<std::int64_t>(old));
    }
    if (fresh == rows.end()) return;
    begin_fresh(lane);
    lanes_.apply(lane, rows.subspan(old), names);
    counted(lane, rows.back().position, static_cast<std::int64_t>(rows.size() - old));
    write_if_much();
}

void LaneTenure::control(std::int16_t lane, const ControlEntry& entry) {
    const bool old = entry.position <= writer_.done(lane);
    if (!old) begin_fresh(lane);
    apply(lane, entry);
    if (old) {
        repeated(lane, 1);
        return;
    }
    counted(lane, entry.position, 1);
    write_if_much();
}

void LaneTenure::reached(engine::Position position) {
    through_ = std::max(through_, position);
    if (leads_) session_->leadership().beat();
    if (replayed_) return;
    const auto percent = static_cast<int>(through_.value() * 100 / std::max<std::int64_t>(read_end_.value() - 1, 1));
    around_.board.update([percent](LeaderStatus& status) { status.percent = percent; });
}

void LaneTenure::apply(std::int16_t lane, const ControlEntry& entry) {
    const auto body = api::json::control_from_text(entry.kind, entry.body);
    if (!body) {
        throw std::runtime_error(
            fmt::format("the control entry at position {} cannot be read: {} {}", entry.position.value(), body.error().pointer, body.error().detail));
    }
    if (is_carried_later(lane) && engine::is_about_incidents(*body)) return;  // the stored incidents have it in them
    auto& engine = lanes_.of(lane);
    std::vector<engine::StoredSignal> history;
    const auto request = engine.history_for(entry.tenant, *body);
    if (request) {
        const auto* change = std::get_if<engine::PatternChange>(&*body);
        if (change == nullptr) throw std::runtime_error("history is asked for by patterns only");
        if (leads_) write();  // which signals of the history were late is read from the results
        history = session_->finder().history(*request, entry.position, *change->pattern);
    }
    engine.apply(entry.position, entry.tenant, entry.admitted, *body, history);
    if (engine.wants_rematch()) rematch(engine);
    if (std::holds_alternative<engine::Tick>(*body)) ticks_.note_tick(entry.tenant, entry.admitted);
}

/// Which signals are late is read from the results and known to the engine, but for those of a transaction that is yet to be finished. Whatever fails here,
/// all begins again: entries were applied that cannot be read back by halves.
void LaneTenure::rematch(engine::Lane& engine) {
    if (writer_.unfinished()) throw Fenced{"a transaction is unfinished while signals are to be matched again"};
    try {
        timed(&LeaderStatus::rematch_time, [&] {
            while (const auto request = engine.rematch_request()) engine.rematch(session_->finder().answer(*request));
        });
    } catch (const PqError& error) {
        throw Fenced{std::string{"signals could not be read to be matched again: "} + error.what()};
    }
}

void LaneTenure::discard_all() {
    for (const auto lane : std::exchange(discardable_, {})) writer_.discard(lane);
    since_discard_ = 0;
}

/// Entries whose results are stored already.
void LaneTenure::repeated(std::int16_t lane, std::int64_t count) {
    around_.board.update([count](LeaderStatus& status) {
        status.applied += count;
        status.replayed += count;
    });
    discardable_.insert(lane);
    since_snapshot_ += count;
    since_discard_ += count;
    if (since_discard_ >= entries_between_discards) discard_all();
}

void LaneTenure::counted(std::int16_t lane, engine::Position position, std::int64_t count) {
    writer_.applied(lane, position, count);
    since_snapshot_ += count;
    through_ = std::max(through_, position);
    around_.board.update([&](LeaderStatus& status) {
        status.applied += count;
        status.reached = std::max(status.reached, position);
    });
}

void LaneTenure::note_reached(engine::Position position) {
    around_.board.update([position](LeaderStatus& status) { status.reached = std::max(status.reached, position); });
}

void LaneTenure::write_if_much() {
    if (writer_.pending() >= static_cast<std::int64_t>(around_.options.chunk_entries) || now() >= last_write_ + around_.options.chunk_time) write();
}

void LaneTenure::write() {
    if (!writer_.unwritten()) return;
    auto fate = WriteFate::failed;
    timed(&LeaderStatus::write_time, [&] { fate = writer_.write(session_->finder()); });
    switch (fate) {
        case WriteFate::committed: break;
        case WriteFate::failed: throw Unavailable{writer_.store().reason()};
        case WriteFate::fenced: throw Fenced{another_leads};
    }
    last_write_ = now();
    around_.board.update([this](LeaderStatus& status) {
        ++status.result_commits;
        status.rematches = writer_.rematches();
    });
}

/// Only what is written is saved: what a snapshot has in it is never written again.
void LaneTenure::save_if_due() {
    const auto& options = around_.options;
    const bool are_many = since_snapshot_ >= options.snapshot_entries && now() >= snapshot_not_before_;
    const bool is_due = are_many || (since_snapshot_ > 0 && now() >= snapshot_at_);
    if (options.snapshot_entries == 0 || !is_due || writer_.unwritten() || keeper_->busy()) return;
    if (stopping()) return;  // a stop may have cut a group in its middle, and the log can only be read on from between batches
    const auto begin = now();
    auto set = [this] {
        const HandOff::Standing standing{around_.hand_off};
        return snapshot();
    }();
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now() - begin);
    around_.board.update([took](LeaderStatus& status) { status.snapshots.pause = took; });
    spdlog::info("event=snapshot_made position={} pause_seconds={:.3f}", set.position.value(), std::chrono::duration<double>(took).count());
    keeper_->keep(std::move(set));
    since_snapshot_ = 0;
    snapshot_at_ = now() + options.snapshot_time;
    snapshot_not_before_ = now() + pause_share * took;
}

SnapshotSet LaneTenure::snapshot() {
    discard_all();
    SnapshotSet set;
    set.position = through_;
    set.engine = engine::Lane::version();
    set.catalogue = engine::catalogue_hash(around_.shipped);
    for (const auto& [number, lane] : lanes_.all()) {
        set.lanes[number] = {writer_.done(number), lane.save()};
        session_->leadership().beat();
    }
    for (const auto& [tenant, sources] : around_.sources.all()) {
        for (const auto& one : sources) {
            if (one.last_event && one.last_received) set.sources.push_back({tenant, one.source, one.domain, *one.last_event, *one.last_received});
        }
    }
    return set;
}

void LaneTenure::tick() {
    next_ticks_ = now() + tick_round;
    const auto tenants = ticks_.due(around_.clock());
    if (tenants.empty()) return;
    if (writer_.store().append_ticks(tenants) != WriteFate::committed) throw Unavailable{writer_.store().reason()};
    around_.hand_off.nudge();
}

void LaneTenure::note_sources(std::span<const StoredRow> rows, const StoredNames& names) {
    std::map<std::pair<engine::TenantId, std::int32_t>, std::pair<engine::Timestamp, engine::Timestamp>> last;  // event and admission by definition
    for (const auto& row : rows) {
        auto& [event, received] = last[{row.tenant, row.definition}];
        event = std::max(event, row.time);
        received = std::max(received, row.received);
    }
    for (const auto& [of, times] : last) {
        const auto& definition = names.definition(of.second);
        around_.sources.note(of.first, definition.source, definition.domain, 0, times.first, times.second);
    }
}

}  // namespace catenary::server
