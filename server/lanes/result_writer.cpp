#include "server/lanes/result_writer.hpp"

#include <algorithm>
#include <utility>

namespace catenary::server {

void ResultWriter::lead(LaneLeases leases) {
    leases_ = std::move(leases);
    for (const auto& [lane, lease] : leases_) progress_.reached(lane, lease.done);
}

void ResultWriter::follow(const std::map<std::int16_t, engine::Position>& done) {
    for (const auto& [lane, position] : done) {
        leases_[lane].done = position;
        progress_.reached(lane, position);
    }
}

engine::Position ResultWriter::done(std::int16_t lane) const {
    const auto it = leases_.find(lane);
    return it == leases_.end() ? engine::Position{0} : it->second.done;
}

std::map<std::int16_t, engine::Position> ResultWriter::all_done() const {
    std::map<std::int16_t, engine::Position> all;
    for (const auto& [lane, lease] : leases_) all.emplace(lane, lease.done);
    return all;
}

void ResultWriter::applied(std::int16_t lane, engine::Position position, std::int64_t count) {
    applied_[lane] = position;
    pending_ += count;
}

void ResultWriter::published(const engine::Effects& effects) {
    for (const auto& tenant : effects) published(tenant.status);
}

void ResultWriter::published(const engine::TenantStatus& status) {
    ticks_.note(status);
    if (status.watermark) watermarks_.publish(status.tenant, *status.watermark);
    if (status.rematches == engine::RematchCounts{} && status.rematch_backlog == 0) return;
    auto& known = rematches_of_[status.tenant];
    const auto grow = [](auto& total, auto known_before, auto now) { total += now - known_before; };
    grow(rematches_.counts.made, known.counts.made, status.rematches.made);
    grow(rematches_.counts.signals, known.counts.signals, status.rematches.signals);
    grow(rematches_.counts.cut, known.counts.cut, status.rematches.cut);
    grow(rematches_.counts.given_up, known.counts.given_up, status.rematches.given_up);
    grow(rematches_.backlog, known.backlog, status.rematch_backlog);
    known = {status.rematches, status.rematch_backlog};
}

void ResultWriter::restored(const engine::Lane& lane) {
    for (const auto& status : lane.statuses()) {
        published(status);
        if (status.ticked) ticks_.note_tick(status.tenant, *status.ticked);
    }
}

void ResultWriter::discard(std::int16_t lane) { published(lanes_.of(lane).take_effects()); }

void ResultWriter::take_changes() {
    for (const auto& [lane, position] : std::exchange(applied_, {})) {
        auto effects = lanes_.of(lane).take_effects();
        published(effects);
        for (auto& tenant : effects) effects_.emplace_back(position, std::move(tenant));
        moves_.push_back({lane, leases_[lane].epoch, leases_[lane].done, position});
    }
    pending_ = 0;
}

void ResultWriter::make_rows(SignalFinder& finder) {
    while (!effects_.empty()) {
        const auto& [position, tenant] = effects_.back();
        const auto wanted = evidence_of(tenant);
        const auto found = wanted.empty() ? std::map<engine::SignalRef, FoundSignal>{} : finder.find(tenant.tenant, wanted);
        std::vector<SignalKey> late_keys;
        for (const auto& ref : tenant.late) late_keys.push_back(finder.key_of(tenant.tenant, ref));
        std::vector<SignalKey> rematched_keys;
        for (const auto& ref : tenant.rematched) rematched_keys.push_back(finder.key_of(tenant.tenant, ref));
        rows_.push_back(result_rows(tenant, position, late_keys, rematched_keys, found));
        effects_.pop_back();
    }
}

WriteFate ResultWriter::write(SignalFinder& finder) {
    // A transaction that failed is finished first, unchanged: its rows say exactly what lies between its positions.
    if (moves_.empty()) {
        if (applied_.empty()) return WriteFate::committed;
        take_changes();
    }
    make_rows(finder);
    auto fate = WriteFate::failed;
    if (in_doubt_) {
        // A lane that does not move (its engine went on from what was reported) does not tell whether that was written.
        if (std::any_of(moves_.begin(), moves_.end(), [](const LaneMove& move) { return move.from == move.to; })) return WriteFate::fenced;
        const auto known = store_->find_out(moves_);
        if (!known) return WriteFate::failed;
        fate = *known;
    }
    if (fate == WriteFate::failed) fate = store_->write(moves_, rows_);
    in_doubt_ = fate == WriteFate::failed;
    if (fate != WriteFate::committed) return fate;
    for (const auto& move : moves_) {
        leases_[move.lane].done = move.to;
        progress_.reached(move.lane, move.to);
    }
    moves_.clear();
    rows_.clear();
    return applied_.empty() ? WriteFate::committed : write(finder);
}

}  // namespace catenary::server
