#include "engine/matching/near_miss_watch.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

namespace catenary::engine {

bool NearMissWatch::is_sound() const {
    if (queue_.size() != from_.size()) return false;
    boost::unordered_flat_set<std::uint32_t> queued;
    return std::all_of(queue_.begin(), queue_.end(), [&](const Due& due) { return from_.contains(due.entity) && queued.insert(due.entity).second; });
}

}  // namespace catenary::engine
