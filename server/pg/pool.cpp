#include "server/pg/pool.hpp"

#include "server/pg/guarded.hpp"

#include <utility>

namespace catenary::server::pg {

Pool::Pool(Dsn dsn, std::size_t size, std::chrono::milliseconds patience) : dsn_{dsn.text()}, size_{size}, patience_{patience} {}
Pool::~Pool() = default;

StoreResult<Pool::Lease> Pool::lease() { return lease(Source::idle_first); }
StoreResult<Pool::Lease> Pool::fresh_lease() { return lease(Source::fresh); }

StoreResult<Pool::Lease> Pool::lease(Source source) {
    const auto deadline = std::chrono::steady_clock::now() + patience_;
    std::unique_ptr<pqxx::connection> connection;
    {
        std::vector<std::unique_ptr<pqxx::connection>> stale;  // closed after the lock: closing talks to the server
        std::unique_lock lock{mutex_};
        if (!returned_.wait_until(lock, deadline, [this] { return in_use_ < size_; })) {
            ++timeouts_;
            return StoreError{StoreErrorCode::too_slow, "no connection became free in time"};
        }
        ++in_use_;
        if (source == Source::fresh) stale.swap(idle_);  // one was dead: so are its neighbours, most likely
        if (!idle_.empty()) {
            connection = std::move(idle_.back());
            idle_.pop_back();
        }
        lock.unlock();
    }
    if (!connection || !connection->is_open()) {
        auto made = guarded([this] { return std::make_unique<pqxx::connection>(dsn_); });
        if (!made) {
            give_back(nullptr, true);
            return StoreError{StoreErrorCode::unavailable, made.error().detail, made.error().sqlstate};
        }
        connection = *std::move(made);
    }
    return Lease{*this, std::move(connection)};
}

void Pool::give_back(std::unique_ptr<pqxx::connection> connection, bool spoiled) {
    {
        const std::lock_guard lock{mutex_};
        --in_use_;
        if (connection && !spoiled && connection->is_open()) idle_.push_back(std::move(connection));
    }
    returned_.notify_one();
}

Pool::Usage Pool::usage() const {
    const std::lock_guard lock{mutex_};
    return {idle_.size() + in_use_, in_use_, size_, timeouts_};
}

Pool::Lease::Lease(Lease&& other) noexcept : pool_{std::exchange(other.pool_, nullptr)}, connection_{std::move(other.connection_)}, spoiled_{other.spoiled_} {}

Pool::Lease::~Lease() {
    if (pool_ != nullptr) pool_->give_back(std::move(connection_), spoiled_);
}

}  // namespace catenary::server::pg
