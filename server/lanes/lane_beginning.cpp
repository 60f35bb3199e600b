#include "server/lanes/lane_tenure.hpp"
#include "server/lanes/snapshot_restore.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace catenary::server {
namespace {

using State = LeaderStatus::State;

constexpr std::chrono::seconds begin_round{2};

Understanding understanding_of(const engine::Catalogue& shipped) { return {std::string{engine::Lane::version()}, engine::catalogue_hash(shipped), {}}; }

}  // namespace

void LaneTenure::begin() {
    const auto origin = writer_.store().origin();
    if (!origin) throw Unavailable{writer_.store().reason()};
    origin_ = *origin;
    const bool is_ours = !origin_.made_by || origin_.made_by->same_program(understanding_of(around_.shipped));
    const bool is_whole = origin_.gone_until.value() == 0 && (origin_.made_by ? origin_.made_by->since.value() == 0 : !origin_.any_results);
    if (is_ours && restore(origin_)) beginning_ = Beginning::snapshot;
    else beginning_ = is_ours && is_whole ? Beginning::log : Beginning::carried;
    begun_ = true;
    next_begin_ = now() + begin_round;
    snapshot_at_ = now() + around_.options.snapshot_time;
    around_.board.update([&](LeaderStatus& status) { status.beginning = beginning_; });
}

/// False: no snapshot was of use.
bool LaneTenure::restore(const Origin& origin) {
    const auto begin = now();
    auto found = restore_lanes(session_->snapshots(), around_.shipped, origin);
    around_.board.update([&](LeaderStatus& status) { status.snapshots.refused += found.refused; });
    if (!found.restored) return false;
    auto& restored = *found.restored;
    lanes_.replace(std::move(restored.lanes));
    for (const auto& [number, lane] : lanes_.all()) writer_.restored(lane);
    for (const auto& one : restored.sources) around_.sources.note(one.tenant, one.source, one.domain, 0, one.last_event, one.last_received);
    through_ = restored.position;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now() - begin);
    around_.board.update([&](LeaderStatus& status) {
        status.snapshots.position = status.snapshots.started_from = restored.position;
        status.snapshots.bytes = restored.bytes;
        status.snapshots.starting = took;
    });
    spdlog::info("event=lanes_restored position={} bytes={} seconds={:.3f}", restored.position.value(), restored.bytes,
                 std::chrono::duration<double>(took).count());
    return true;
}

/// While this process followed, another version may have led, or signals may have gone that it has not read yet.
void LaneTenure::check_origin() {
    const auto origin = writer_.store().origin();
    if (!origin) throw Unavailable{writer_.store().reason()};
    if (origin->made_by != origin_.made_by) throw Fenced{"results were made by another version meanwhile"};
    if (beginning_ != Beginning::carried && through_ < origin->gone_until) throw Fenced{"signals that were not read yet are no longer stored"};
}

/// Until the lock is ours.
void LaneTenure::follow() {
    bool said = false;
    while (!stopping() && !session_->leadership().acquire()) {
        if (!std::exchange(said, true)) {
            around_.board.enter(State::following, session_->leadership().owner());
            spdlog::info("event=lanes_followed leader=\"{}\"", session_->leadership().owner());
        }
        catch_up();
        if (beginning_ != Beginning::carried) around_.questions.answer(lanes_);
        if (session_->leadership().end_silent_leader()) spdlog::warn("event=silent_leader_ended");
        around_.stop.wait_until(now() + around_.options.follow_poll);
    }
}

void LaneTenure::catch_up() {
    const auto leader = session_->leadership().followed();
    writer_.follow(leader.done);
    if (beginning_ == Beginning::carried) {  // only a leader can carry over; once it has, its snapshots are of use
        if (now() >= next_begin_) begin();
        return;
    }
    read_end_ = leader.to;
    note_reached(engine::Position{leader.to.value() - 1});
    if (leader.to > next()) session_->log().read(next(), leader.to, *this);
    if (stopping()) return;
    discard_all();
}

void LaneTenure::take_over() {
    check_origin();
    ResultStore::TakeOver wanted{around_.options.owner, {}};
    const auto mine = understanding_of(around_.shipped);
    switch (beginning_) {
        case Beginning::log:
            if (!origin_.made_by) wanted.by = {mine.engine, mine.catalogue, engine::Position{0}};
            break;
        case Beginning::snapshot:
            if (!origin_.made_by) wanted.by = {mine.engine, mine.catalogue, engine::Position{1}};  // that the log alone would do is not known
            break;
        case Beginning::carried: wanted.by = {mine.engine, mine.catalogue, std::nullopt}; break;
    }
    LaneLeases leases;
    if (writer_.store().take_over(wanted, leases) != WriteFate::committed) throw Unavailable{writer_.store().reason()};
    std::map<std::int16_t, engine::Position> done;
    for (const auto& [lane, lease] : leases) done.emplace(lane, lease.done);
    check_not_set_back(done);
    writer_.lead(std::move(leases));
    leads_ = true;
    session_->leadership().beat();
}

/// Results that nobody sees are committed without waiting for the disk, so that a crash of the database may lose them. Engines that are past them will not
/// say them again.
void LaneTenure::check_not_set_back(const std::map<std::int16_t, engine::Position>& done) const {
    for (const auto& [lane, position] : done) {
        if (position < writer_.done(lane)) throw Fenced{"the database lost results that were read from it"};
    }
}

void LaneTenure::replay() {
    const auto begin = now();
    read_end_ = session_->log().end();
    note_reached(engine::Position{read_end_.value() - 1});
    around_.board.enter(State::replaying);
    session_->log().read(next(), read_end_, *this);
    if (stopping()) return;
    discard_all();
    for (const auto& [lane, done] : writer_.all_done()) {
        if (is_carried_later(lane) && done.value() > 0) carry_over(lane);
    }
    write();
    if (beginning_ == Beginning::carried) snapshot_at_ = now();  // nobody else can begin before there is one
    replayed_ = true;
    save_if_due();
    const std::chrono::duration<double> took = now() - begin;
    spdlog::info("event=lanes_replayed entries={} seconds={:.3f}", around_.board.read().applied, took.count());
}

/// Before the first entry of a lane whose results are not stored.
void LaneTenure::begin_fresh(std::int16_t lane) {
    if (is_carried_later(lane)) carry_over(lane);
    else if (discardable_.erase(lane) > 0) writer_.discard(lane);
}

/// Everything that was reported of the lane has been matched anew. Whatever fails here, all begins again: entries were applied that cannot be read back by
/// halves.
void LaneTenure::carry_over(std::int16_t lane) {
    discardable_.erase(lane);
    writer_.discard(lane);
    auto& engine = lanes_.of(lane);
    const auto reported = writer_.store().reported(lane, engine.earliest_activity());
    if (!reported) throw Fenced{"what was reported cannot be read: " + writer_.store().reason()};
    const auto done = writer_.done(lane);
    std::size_t incidents = 0;
    for (const auto& [tenant, stored] : *reported) {
        engine.carry_over(tenant, stored, done, around_.clock());
        incidents += stored.incidents.size();
    }
    carried_.insert(lane);
    writer_.applied(lane, done, 1);
    ++since_snapshot_;
    spdlog::info("event=lane_carried_over lane={} position={} tenants={} incidents={}", lane, done.value(), reported->size(), incidents);
}

}  // namespace catenary::server
