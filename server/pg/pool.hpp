#pragma once

#include "server/pg/dsn.hpp"
#include "server/pg/store_error.hpp"

#include <pqxx/pqxx>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace catenary::server::pg {

/// A bounded set of connections. Threads borrow one at a time; never hold one while waiting for another.
class Pool {
public:
    /// A borrowed connection; given back by the destructor. What broke is destroyed instead of reused.
    class Lease {
    public:
        ~Lease();  // gives the connection back
        Lease(Lease&& other) noexcept;
        Lease& operator=(Lease&&) = delete;
        pqxx::connection& connection() { return *connection_; }
        /// Not to be used again: it broke, or it is in a state that nobody knows.
        void spoil() { spoiled_ = true; }

    private:
        friend class Pool;
        Lease(Pool& pool, std::unique_ptr<pqxx::connection> connection) : pool_{&pool}, connection_{std::move(connection)} {}
        Pool* pool_;
        std::unique_ptr<pqxx::connection> connection_;
        bool spoiled_ = false;
    };

    /// Connects lazily; `size` >= 1 is the most connections at once, `patience` the longest wait for one.
    Pool(Dsn dsn, std::size_t size, std::chrono::milliseconds patience);
    ~Pool();  // every lease must have been given back
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    /// Waits at most `patience`: `too_slow` when all are in use until then, `unavailable` when the server cannot be reached.
    StoreResult<Lease> lease();
    /// The same, and never a connection that sat idle: after one of those turned out dead.
    StoreResult<Lease> fresh_lease();

    struct Usage {
        std::size_t open, in_use, most;
        std::int64_t timeouts;  ///< leases refused because all were in use
    };
    Usage usage() const;
    std::size_t size() const { return size_; }

private:
    enum class Source { idle_first, fresh };
    StoreResult<Lease> lease(Source source);
    void give_back(std::unique_ptr<pqxx::connection> connection, bool spoiled);

    const std::string dsn_;
    const std::size_t size_;
    const std::chrono::milliseconds patience_;
    mutable std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<pqxx::connection>> idle_;
    std::size_t in_use_ = 0;
    std::int64_t timeouts_ = 0;
};

}  // namespace catenary::server::pg
