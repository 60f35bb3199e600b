#include "engine/lane/tenant.hpp"
#include "engine/model/assert.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/last_values.hpp"

namespace catenary::engine {

void Tenant::save(SnapshotWriter& out) const {
    CATENARY_ASSERT(late_marks_.empty() && behind_horizon_marks_.empty() && near_misses_.empty() && rematched_.empty(), "what is saved was written");
    CATENARY_ASSERT(!rematch_, "what is saved is between two entries");
    CATENARY_ASSERT(incidents_.is_written(), "what is saved was written");
    out(dictionary_.strings, dictionary_.entities, dictionary_.definitions);
    save_state(out);
}

/// All but the dictionary.
void Tenant::save_state(SnapshotWriter& out) const {
    out(held_, incidents_, deployments_.size());
    for (const auto& deployment : deployments_) {
        out(deployment->pattern, deployment->mode, deployment->effective_from, deployment->matcher, deployment->activity, deployment->rematches,
            deployment->held, deployment->horizon);
    }
    counters(out, *this);
}

void Tenant::load(SnapshotReader& in) {
    in(dictionary_.strings, dictionary_.entities, dictionary_.definitions);
    held_.load(in, dictionary_.strings);
    in(incidents_);
    deployments_.clear();
    for (std::size_t left = in.count(); left > 0; --left) {
        std::shared_ptr<const Pattern> pattern;
        Mode mode = Mode::off;
        Timestamp effective_from;
        in(pattern, mode, effective_from);
        SnapshotReader::require(mode != Mode::off, "a pattern that is off runs");
        Deployment& deployment = deploy(std::move(pattern), mode, effective_from);
        in(deployment.matcher, deployment.activity, deployment.rematches, deployment.held, deployment.horizon);
    }
    deployments_changed();
    counters(in, *this);  // the clock last: what runs moved it when it came to run
    work_out_next_judgement();
    count_rematches();
}

}  // namespace catenary::engine
