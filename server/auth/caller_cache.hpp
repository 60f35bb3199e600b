#pragma once

#include "api/ports/caller.hpp"
#include "server/pg/sha256.hpp"

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <optional>

namespace catenary::server::auth {

/// Tokens found valid a moment ago, by their digest: a token itself is never kept. Holds the `capacity` used last; an entry ends after `lifetime`,
/// which is how long a withdrawn key may go on working. Any thread.
class CallerCache {
public:
    using Time = std::chrono::steady_clock::time_point;
    CallerCache(std::size_t capacity, std::chrono::milliseconds lifetime) : capacity_{capacity}, lifetime_{lifetime} {}

    std::optional<api::Caller> find(const pg::Sha256& token, Time now);
    /// `at_most`: the key itself ends earlier than an entry would.
    void put(const pg::Sha256& token, api::Caller caller, Time now, std::optional<std::chrono::milliseconds> at_most = std::nullopt);
    std::size_t size() const;

private:
    struct Entry {
        pg::Sha256 token;
        api::Caller caller;
        Time ends;
    };
    const std::size_t capacity_;
    const std::chrono::milliseconds lifetime_;
    mutable std::mutex mutex_;
    std::list<Entry> entries_;  // used last first
    std::map<pg::Sha256, std::list<Entry>::iterator> index_;
};

}  // namespace catenary::server::auth
