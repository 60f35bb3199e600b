#pragma once

#include "api/ports/caller.hpp"
#include "server/pg/sha256.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace catenary::server::auth {

/// What was lately found out about tokens, by their digest: a token itself is never kept. Holds the `capacity` used last; an entry ends after
/// `lifetime`. Any thread.
template <class Value>
class TokenCache {
public:
    using Time = std::chrono::steady_clock::time_point;
    TokenCache(std::size_t capacity, std::chrono::milliseconds lifetime) : capacity_{capacity}, lifetime_{lifetime} {}

    std::optional<Value> find(const pg::Sha256& token, Time now) {
        const std::lock_guard lock{mutex_};
        const auto found = index_.find(token);
        if (found == index_.end()) return std::nullopt;
        if (found->second->ends <= now) {
            entries_.erase(found->second);
            index_.erase(found);
            return std::nullopt;
        }
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->value;
    }

    /// `at_most`: what was found out holds for less than the lifetime.
    void put(const pg::Sha256& token, Value value, Time now, std::optional<std::chrono::milliseconds> at_most = std::nullopt) {
        const auto ends = now + std::min(lifetime_, at_most.value_or(lifetime_));
        const std::lock_guard lock{mutex_};
        if (const auto found = index_.find(token); found != index_.end()) {
            entries_.erase(found->second);
            index_.erase(found);
        }
        entries_.push_front({token, std::move(value), ends});
        index_.emplace(token, entries_.begin());
        if (entries_.size() > capacity_) {
            index_.erase(entries_.back().token);
            entries_.pop_back();
        }
    }

    std::size_t size() const {
        const std::lock_guard lock{mutex_};
        return entries_.size();
    }

private:
    struct Entry {
        pg::Sha256 token;
        Value value;
        Time ends;
    };
    using Entries = std::list<Entry>;
    const std::size_t capacity_;
    const std::chrono::milliseconds lifetime_;
    mutable std::mutex mutex_;
    Entries entries_;  // used last first
    std::map<pg::Sha256, typename Entries::iterator> index_;
};

/// Valid tokens; the lifetime is how long a withdrawn key may go on working.
using CallerCache = TokenCache<api::Caller>;

/// Tokens that stand for nobody, so that a client with a wrong key does not ask the database each time. Secrets are random: what is wrong now does not
/// become right later.
struct Nobody {};
using StrangerCache = TokenCache<Nobody>;

}  // namespace catenary::server::auth
