#include "server/auth/caller_cache.hpp"

#include <algorithm>
#include <utility>

namespace catenary::server::auth {

std::optional<api::Caller> CallerCache::find(const pg::Sha256& token, Time now) {
    const std::lock_guard lock{mutex_};
    const auto found = index_.find(token);
    if (found == index_.end()) return std::nullopt;
    if (found->second->ends <= now) {
        entries_.erase(found->second);
        index_.erase(found);
        return std::nullopt;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->caller;
}

void CallerCache::put(const pg::Sha256& token, api::Caller caller, Time now, std::optional<std::chrono::milliseconds> at_most) {
    const auto ends = now + std::min(lifetime_, at_most.value_or(lifetime_));
    const std::lock_guard lock{mutex_};
    if (const auto found = index_.find(token); found != index_.end()) {
        entries_.erase(found->second);
        index_.erase(found);
    }
    entries_.push_front({token, std::move(caller), ends});
    index_.emplace(token, entries_.begin());
    if (entries_.size() > capacity_) {
        index_.erase(entries_.back().token);
        entries_.pop_back();
    }
}

std::size_t CallerCache::size() const {
    const std::lock_guard lock{mutex_};
    return entries_.size();
}

}  // namespace catenary::server::auth
