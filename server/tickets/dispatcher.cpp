#include "server/tickets/dispatcher.hpp"

#include "server/pg/guarded.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <set>
#include <vector>

namespace catenary::server::tickets {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr auto renew_every = 3s;
constexpr auto sweep_every = 60s;

// One row a connector: when it was changed, and whether this process could do something for it now. The indexes are asked once a connector, whatever waits.
constexpr const char* look_sql = R"(
    SELECT c.tenant, c.name, (extract(epoch FROM c.changed) * 1000000)::int8,
           (s.owner = $1 OR s.lease_until < clock_timestamp())
           AND (EXISTS (SELECT FROM outbox o WHERE o.tenant = c.tenant AND o.connector = c.name)
                OR (s.paused = '' AND s.open_until <= clock_timestamp()
                    AND (s.poll_due <= clock_timestamp()
                         OR EXISTS (SELECT FROM hook h WHERE h.tenant = c.tenant AND h.connector = c.name AND h.worked IS NULL
                                    AND h.received + h.attempts * interval '2 seconds' <= clock_timestamp())
                         OR EXISTS (SELECT FROM ticket t
                                    WHERE t.tenant = c.tenant AND t.connector = c.name AND t.state IN ('pending', 'in_doubt') AND t.due <= clock_timestamp()))))
    FROM connector c JOIN connector_state s ON s.tenant = c.tenant AND s.name = c.name
    WHERE c.enabled ORDER BY c.tenant, c.name)";
constexpr const char* renew_sql =
    "UPDATE connector_state SET lease_until = clock_timestamp() + make_interval(secs => $2) WHERE owner = $1 AND lease_until > '-infinity'";
constexpr const char* release_sql = "UPDATE connector_state SET lease_until = '-infinity' WHERE owner = $1";
// A lane may have written for a connector that was being removed.
constexpr const char* sweep_sql = "DELETE FROM outbox o WHERE NOT EXISTS (SELECT FROM connector c WHERE c.tenant = o.tenant AND c.name = o.connector)";
constexpr const char* waiting_sql = "SELECT count(*) FROM (SELECT FROM outbox LIMIT 100000) o";

}  // namespace

/// A worker in its thread.
class Dispatcher::Served {
public:
    Served(const WorkerSetting& setting, const Key& key, std::int64_t changed, WorkerCounts& counts)
        : changed_{changed}, worker_{setting, engine::TenantId{key.first}, key.second, counts}, thread_{[this] { run(); }} {}
    ~Served() {
        end();
        thread_.join();
    }
    Served(const Served&) = delete;
    Served& operator=(const Served&) = delete;

    void wake() {
        const std::lock_guard lock{mutex_};
        awake_ = true;
        changed_or_ended_.notify_all();
    }
    void refresh(std::int64_t changed) {
        if (changed == changed_) return;
        changed_ = changed;
        worker_.refresh();
        wake();
    }
    void end() {
        const std::lock_guard lock{mutex_};
        ending_ = true;
        changed_or_ended_.notify_all();
    }
    bool ended() const {
        const std::lock_guard lock{mutex_};
        return ended_;
    }
    void cut() { worker_.cut(); }

private:
    bool goes_on() const {
        const std::lock_guard lock{mutex_};
        return !ending_;
    }
    void run() {
        while (goes_on()) {
            milliseconds pause = 5s;
            try {
                pause = worker_.run_once([this] { return goes_on(); });
            } catch (const std::exception& error) {  // nothing expected; the connector's other tickets must not suffer for ever
                spdlog::error("event=connector_failed reason=\"{}\"", error.what());
            }
            std::unique_lock lock{mutex_};
            changed_or_ended_.wait_for(lock, pause, [this] { return ending_ || awake_; });
            awake_ = false;
        }
        const std::lock_guard lock{mutex_};
        ended_ = true;
    }

    std::int64_t changed_;
    ConnectorWorker worker_;
    mutable std::mutex mutex_;
    std::condition_variable changed_or_ended_;
    bool awake_ = false;
    bool ending_ = false;
    bool ended_ = false;
    std::thread thread_;  // last: it uses the others
};

Dispatcher::Dispatcher(DispatcherOptions options, WorkerSetting setting) : options_{std::move(options)}, setting_{std::move(setting)} {}

Dispatcher::~Dispatcher() { stop(); }

void Dispatcher::start() {
    thread_ = std::thread{[this] { run(); }};
}

void Dispatcher::nudge() {
    const std::lock_guard lock{mutex_};
    nudged_ = true;
    wake_.notify_all();
}

void Dispatcher::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        wake_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

bool Dispatcher::wait(milliseconds most) {
    std::unique_lock lock{mutex_};
    wake_.wait_for(lock, most, [this] { return stopping_ || nudged_; });
    nudged_ = false;
    return !stopping_;
}

void Dispatcher::look() {
    std::map<Key, std::int64_t> wanted;
    std::vector<Key> due;
    pqxx::nontransaction plain{*connection_};
    for (const auto& row : plain.exec_params(look_sql, setting_.owner)) {
        const Key key{row[0].as<std::int32_t>(), row[1].c_str()};
        wanted[key] = row[2].as<std::int64_t>();
        if (row[3].as<bool>()) due.push_back(key);
    }
    for (auto it = served_.begin(); it != served_.end();) {
        if (wanted.contains(it->first)) {
            it->second->refresh(wanted[it->first]);
            ++it;
            continue;
        }
        it->second->end();  // joined once it has ended: it may be waiting for its ticket system
        it = it->second->ended() ? served_.erase(it) : std::next(it);
    }
    std::size_t unserved = 0;
    for (const auto& [key, changed] : wanted) {
        if (served_.contains(key)) continue;
        if (served_.size() < options_.most_workers) served_[key] = std::make_unique<Served>(setting_, key, changed, counts_);
        else ++unserved;
    }
    for (const auto& key : due) {
        if (const auto found = served_.find(key); found != served_.end()) found->second->wake();
    }
    const std::lock_guard lock{mutex_};
    workers_ = served_.size();
    unserved_ = unserved;
}

/// What is done every few seconds: leases, and what nobody would take any more.
void Dispatcher::tend() {
    const auto now = Steady::now();
    pqxx::nontransaction plain{*connection_};
    if (now >= renewed_ + renew_every) {
        plain.exec_params(renew_sql, setting_.owner, std::chrono::duration<double>(setting_.lease).count());
        const auto waiting = plain.exec1(waiting_sql)[0].as<std::int64_t>();
        renewed_ = now;
        const std::lock_guard lock{mutex_};
        waiting_ = waiting;
    }
    if (now >= swept_ + sweep_every) {
        plain.exec(sweep_sql);
        swept_ = now;
    }
}

void Dispatcher::run() {
    while (wait(options_.look)) {
        const auto done = pg::guarded([this] {
            if (!connection_) connection_ = std::make_unique<pqxx::connection>(options_.dsn);
            look();
            tend();
        });
        if (done) continue;
        connection_.reset();
        spdlog::warn("event=dispatcher_waits reason=\"{}\"", done.error().detail);
        if (!wait(1s)) break;
    }
    for (const auto& [key, served] : served_) served->end();
    const auto deadline = Steady::now() + options_.patience;
    const auto all_ended = [this] { return std::ranges::all_of(served_, [](const auto& entry) { return entry.second->ended(); }); };
    while (!all_ended() && Steady::now() < deadline) std::this_thread::sleep_for(10ms);
    for (const auto& [key, served] : served_) served->cut();
    served_.clear();
    const auto released = pg::guarded([this] {
        if (!connection_) return;
        pqxx::nontransaction{*connection_}.exec_params(release_sql, setting_.owner);
    });
    if (!released) spdlog::warn("event=leases_not_released reason=\"{}\"", released.error().detail);
    connection_.reset();
}

Dispatcher::Usage Dispatcher::usage() const {
    Usage usage;
    usage.delivered = counts_.delivered;
    usage.failed = counts_.failed;
    usage.retried = counts_.retried;
    usage.doubtful = counts_.doubtful;
    usage.polls = counts_.polls;
    usage.remote_changes = counts_.remote_changes;
    usage.notes_taken = counts_.notes_taken;
    usage.notes_cut = counts_.notes_cut;
    usage.notes_left = counts_.notes_left;
    usage.hooks_followed = counts_.hooks_followed;
    usage.hooks_retried = counts_.hooks_retried;
    usage.hooks_left = counts_.hooks_left;
    const std::lock_guard lock{mutex_};
    usage.workers = workers_;
    usage.unserved = unserved_;
    usage.waiting = waiting_;
    return usage;
}

}  // namespace catenary::server::tickets
