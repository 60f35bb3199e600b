#include "engine/matching/near_miss_watch.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

namespace catenary::engine {

bool NearMissWatch::is_sound() const {
    if (!waiting_) return true;
    const auto& [queue, from] = *waiting_;
    if (queue.size() != from.size()) return false;
    boost::unordered_flat_set<std::uint32_t> queued;
    return std::all_of(queue.begin(), queue.end(),
                       [&noted = from, &queued](const Due& due) { return noted.contains(due.entity) && queued.insert(due.entity).second; });
}

}  // namespace catenary::engine
