#include "engine/matching/matcher.hpp"
#include "engine/matching/matcher_state.hpp"
#include "engine/matching/required_domains.hpp"
#include "engine/snapshot/codec.hpp"

namespace catenary::engine {

void PatternMatcher::save(SnapshotWriter& out) const {
    state_->save(out);
    if (required_domains_) out(*required_domains_);
}

void PatternMatcher::load(SnapshotReader& in) {
    state_->load(in);
    if (required_domains_) in(*required_domains_);
}

}  // namespace catenary::engine
