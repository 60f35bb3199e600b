#include "server/pg/leaf_sealer.hpp"

#include "server/pg/guarded.hpp"

#include <spdlog/spdlog.h>
#include <pqxx/pqxx>

#include <utility>

namespace catenary::server::pg {
namespace {

constexpr const char* seal_sql = "SELECT coalesce(seal_next_leaf(make_interval(secs => $1)), '')";

}  // namespace

/// While it lives, a stop may cancel what the connection does.
class LeafSealer::Shown {
public:
    Shown(LeafSealer& sealer, pqxx::connection& connection) : sealer_{sealer} { show(&connection); }
    ~Shown() { show(nullptr); }
    Shown(const Shown&) = delete;
    Shown& operator=(const Shown&) = delete;

private:
    void show(pqxx::connection* connection) {
        const std::lock_guard lock{sealer_.mutex_};
        sealer_.sealing_ = connection;
    }
    LeafSealer& sealer_;
};

LeafSealer::LeafSealer(LeafSealerOptions options) : options_{std::move(options)} {}

void LeafSealer::stop() {
    rounds_.stop([this] {
        const std::lock_guard lock{mutex_};
        if (sealing_ == nullptr) return;
        const auto cancelled = guarded([this] { sealing_->cancel_query(); });
        if (!cancelled) spdlog::warn("event=leaf_sealing_not_cancelled reason=\"{}\"", cancelled.error().detail);
    });
}

std::int64_t LeafSealer::run_once() {
    std::int64_t sealed = 0;
    const auto result = guarded([&]() -> bool {
        pqxx::connection connection{options_.dsn};  // of its own each round: a round is a minute, and nothing is kept between rounds
        const Shown shown{*this, connection};
        while (!rounds_.stopping()) {
            const auto begin = std::chrono::steady_clock::now();
            pqxx::work transaction{connection};
            const std::string leaf = transaction.exec_params1(seal_sql, options_.quiet.count())[0].c_str();
            transaction.commit();
            if (leaf.empty()) break;
            ++sealed;
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
            spdlog::info("event=leaf_sealed leaf={} seconds={:.3f}", leaf, took.count());
        }
        return true;
    });
    if (!result) spdlog::warn("event=leaf_not_sealed reason=\"{}\"", result.error().detail);
    return sealed;
}

}  // namespace catenary::server::pg
