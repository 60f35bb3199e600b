#include "server/pg/leaf_retention.hpp"

#include "server/pg/guarded.hpp"

#include <spdlog/spdlog.h>
#include <pqxx/pqxx>

#include <optional>

namespace catenary::server::pg {
namespace {

constexpr const char* announce_sql = "SELECT announce_retention($1) - DATE '1970-01-01'";
constexpr const char* next_sql = "SELECT name, last FROM leaf_to_drop(make_interval(secs => $1))";
constexpr const char* drop_sql = "SELECT drop_leaf($1, $2)";

}  // namespace

void LeafRetention::start() {
    round([this](auto& session) { announce(session); });
    rounds_.start(options_.round, [this] { run_once(); });
}

/// What the database fails is left to the next round. A connection of its own each time: nothing is kept between rounds.
template <class Work>
void LeafRetention::round(Work&& work) {
    const auto result = guarded([&]() -> bool {
        pqxx::connection connection{options_.dsn};
        pqxx::nontransaction session{connection};
        work(session);
        return true;
    });
    if (result) return;
    ++failed_;
    spdlog::warn("event=leaf_not_dropped reason=\"{}\"", result.error().detail);
}

void LeafRetention::announce(pqxx::transaction_base& session) {
    const auto limit = session.exec_params1(announce_sql, options_.days > 0 ? std::optional{options_.days} : std::nullopt)[0];
    if (!limit.is_null()) first_kept_ = limit.as<Day>();
}

std::int64_t LeafRetention::run_once() {
    std::int64_t dropped = 0;
    round([&](auto& session) {
        announce(session);
        while (!rounds_.stopping()) {
            const auto next = session.exec_params1(next_sql, std::chrono::seconds{options_.patience}.count());
            if (next[0].is_null()) break;
            const std::string leaf = next[0].c_str();
            if (!session.exec_params1(drop_sql, leaf, next[1].template as<std::int64_t>())[0].template as<bool>()) {
                ++postponed_;
                break;
            }
            ++dropped;
            ++dropped_;
            spdlog::info("event=leaf_dropped leaf={}", leaf);
        }
    });
    return dropped;
}

}  // namespace catenary::server::pg
