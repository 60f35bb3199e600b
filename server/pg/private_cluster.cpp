#include "server/pg/private_cluster.hpp"

#include "server/observe/recurrence.hpp"
#include "server/pg/child_process.hpp"
#include "server/pg/cluster_files.hpp"
#include "server/pg/postmaster_file.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <spdlog/spdlog.h>

#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

namespace catenary::server::pg {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr seconds fast_shutdown_limit{30};       // then immediate
constexpr seconds immediate_shutdown_limit{10};  // then SIGKILL
constexpr seconds leftover_limit{180};           // for back-ends of a postmaster that was killed

long long seconds_since(SteadyTime begun) { return std::chrono::duration_cast<seconds>(std::chrono::steady_clock::now() - begun).count(); }

}  // namespace

/// The thread that owns the postmaster. It starts every one itself, since the kernel ties a child's PR_SET_PDEATHSIG to the thread that forked.
class PrivateCluster::Keeper {
public:
    Keeper(ClusterFiles files, ClusterOptions options) : files_{std::move(files)}, options_{std::move(options)}, thread_{[this] { keep(); }} {}
    ~Keeper() { stop(); }
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    Started<bool> wait_until_first_ready() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return was_ready_ || first_failure_; });
        if (first_failure_) return *first_failure_;
        return true;
    }

    void stop() {
        {
            std::unique_lock lock{mutex_};
            stopping_ = true;
            changed_.notify_all();
            // `pid_` is set only while the process is not reaped, so the number cannot mean another one.
            if (pid_ != 0) ::kill(pid_, SIGINT);
            const auto gone = [this] { return pid_ == 0; };
            if (!changed_.wait_for(lock, fast_shutdown_limit, gone)) {
                spdlog::warn("event=postgres_shutdown_slow pid={} next=immediate", pid_);
                ::kill(pid_, SIGQUIT);
                if (!changed_.wait_for(lock, immediate_shutdown_limit, gone)) ::kill(pid_, SIGKILL);
            }
        }
        if (thread_.joinable()) thread_.join();
    }

    Dsn dsn(std::string_view user, std::string_view database) const {
        return Dsn{{{"host", files_.socket.string()},
                    {"port", "5432"},
                    {"user", std::string{user}},
                    {"dbname", std::string{database}},
                    {"connect_timeout", "10"},
                    {"sslmode", "disable"},
                    {"gssencmode", "disable"},
                    {"application_name", "catenary"}}};
    }
    const std::filesystem::path& folder() const { return files_.cluster; }
    pid_t postmaster() const {
        const std::lock_guard lock{mutex_};
        return pid_;
    }
    std::int64_t restarts() const {
        const std::lock_guard lock{mutex_};
        return restarts_;
    }

private:
    void keep() {
        milliseconds back_off{100};
        observe::Recurrence failures;
        for (;;) {
            const auto begun = std::chrono::steady_clock::now();
            const auto started = start_once();
            if (started) {
                failures.over();
                set_ready();
                await_death();
                if (is_stopping()) return;
                spdlog::error("event=postgres_died next=restart");
                if (std::chrono::steady_clock::now() - begun > seconds{30}) back_off = milliseconds{100};  // it ran: start afresh
            } else {
                if (fail_first(started.error()) || is_stopping()) return;
                if (const auto times = failures.note("", std::chrono::steady_clock::now())) {
                    spdlog::error("event=postgres_start_failed times={} reason=\"{}\"", times, started.error().message);
                }
            }
            if (pause(back_off)) return;
            back_off = std::min<milliseconds>(back_off * 2, seconds{5});
        }
    }

    /// From a predecessor's remains to a cluster that accepts connections.
    Started<bool> start_once() {
        if (const auto settled = settle_predecessor(); !settled) return settled.error();
        const int log = open_log(files_);
        if (log < 0) return StartFailure{fmt::format("cannot open {}: {}", files_.log.string(), std::strerror(errno))};
        const auto child =
            spawn(Command{files_.binaries.folder / "postgres", postmaster_arguments(files_, options_.durability), log, Bond::interrupted_with_us}, files_.user);
        ::close(log);
        if (!child) return child.error();
        {
            const std::lock_guard lock{mutex_};
            pid_ = *child;
            if (stopping_) ::kill(pid_, SIGINT);
        }
        return await_ready();
    }

    Started<bool> await_ready() {
        const auto begun = std::chrono::steady_clock::now();
        const auto where = dsn(superuser, "postgres").text();
        auto told = begun;
        for (;;) {
            if (has_died()) {
                reap();
                return StartFailure{fmt::format("PostgreSQL ended while starting; the end of {}:\n{}", files_.log.string(), tail_of(files_.log))};
            }
            if (PQping(where.c_str()) == PQPING_OK) return true;
            if (const auto now = std::chrono::steady_clock::now(); now - told >= seconds{5}) {
                told = now;
                tell(fmt::format("waiting for PostgreSQL to recover ({} s)", seconds_since(begun)));
            }
            pause(milliseconds{20});
        }
    }

    /// Stops the postmaster of an earlier server, if one still runs, and waits until nobody uses the cluster's memory any more.
    Started<bool> settle_predecessor() {
        const auto file = read_postmaster_file(files_.cluster);
        if (!file) return true;
        const auto begun = std::chrono::steady_clock::now();
        auto told = begun;
        int signalled = 0;
        for (;;) {
            const bool runs = is_postmaster_of(file->pid, files_.cluster);
            const auto leftover = file->shared_memory >= 0 ? attached_to(file->shared_memory) : 0;
            if (!runs && leftover == 0) break;
            const auto waited = seconds_since(begun);
            const int wanted = waited < fast_shutdown_limit.count() ? SIGINT : SIGQUIT;
            if (runs && signalled != wanted) {
                tell(fmt::format("stopping the PostgreSQL that an earlier server left behind (process {})", file->pid));
                if (::kill(file->pid, wanted) != 0 && errno != ESRCH) {
                    return StartFailure{fmt::format("PostgreSQL process {} already serves {} and cannot be stopped: {}", file->pid, files_.cluster.string(),
                                                    std::strerror(errno))};
                }
                signalled = wanted;
            }
            if (waited >= leftover_limit.count()) {
                return StartFailure{fmt::format("an earlier PostgreSQL (process {}, {} processes attached) still uses {} after {} s: stop it", file->pid,
                                                leftover, files_.cluster.string(), waited)};
            }
            if (const auto now = std::chrono::steady_clock::now(); now - told >= seconds{5}) {
                told = now;
                tell(fmt::format("waiting for an earlier PostgreSQL to end ({} s)", waited));
            }
            if (pause(milliseconds{20})) return StartFailure{"stopped while waiting for an earlier PostgreSQL to end"};
        }
        // The number in the file may mean some other process by now, which PostgreSQL would take for a rival; we hold the data folder's lock and know better.
        std::error_code ignored;
        std::filesystem::remove(files_.cluster / "postmaster.pid", ignored);
        return true;
    }

    bool has_died() const {
        siginfo_t info{};
        return ::waitid(P_PID, static_cast<id_t>(postmaster()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
    }

    void await_death() {
        siginfo_t info{};
        const auto pid = postmaster();
        while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
        }
        reap();
    }

    void reap() {
        const std::lock_guard lock{mutex_};
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
        pid_ = 0;
        changed_.notify_all();
    }

    void set_ready() {
        const std::lock_guard lock{mutex_};
        if (was_ready_) ++restarts_;
        was_ready_ = true;
        changed_.notify_all();
    }

    /// Whether this was the first start, which is its caller's to judge and not to be tried again.
    bool fail_first(const StartFailure& failure) {
        const std::lock_guard lock{mutex_};
        if (was_ready_) return false;
        first_failure_ = failure;
        changed_.notify_all();
        return true;
    }

    bool is_stopping() const {
        const std::lock_guard lock{mutex_};
        return stopping_;
    }

    /// Waits; true: stop was asked for. After that it still waits while the postmaster's end is awaited, so as not to spin.
    bool pause(milliseconds time) {
        std::unique_lock lock{mutex_};
        if (stopping_) {
            changed_.wait_for(lock, time, [this] { return pid_ == 0; });
            return true;
        }
        return changed_.wait_for(lock, time, [this] { return stopping_; });
    }

    void tell(const std::string& text) const {
        if (options_.progress) options_.progress(text);
    }

    const ClusterFiles files_;
    const ClusterOptions options_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    pid_t pid_ = 0;
    bool stopping_ = false;
    bool was_ready_ = false;
    std::int64_t restarts_ = 0;
    std::optional<StartFailure> first_failure_;
    std::thread thread_;  // last: it uses all of the above
};

Started<std::unique_ptr<PrivateCluster>> PrivateCluster::start(ClusterOptions options) {
    auto files = prepare_cluster(options);
    if (!files) return files.error();
    auto keeper = std::make_unique<Keeper>(*std::move(files), std::move(options));
    if (const auto ready = keeper->wait_until_first_ready(); !ready) return ready.error();
    return std::unique_ptr<PrivateCluster>{new PrivateCluster{std::move(keeper)}};
}

PrivateCluster::PrivateCluster(std::unique_ptr<Keeper> keeper) : keeper_{std::move(keeper)} {}
PrivateCluster::~PrivateCluster() = default;
void PrivateCluster::stop() { keeper_->stop(); }
Dsn PrivateCluster::dsn(std::string_view user, std::string_view database) const { return keeper_->dsn(user, database); }
const std::filesystem::path& PrivateCluster::folder() const { return keeper_->folder(); }
pid_t PrivateCluster::postmaster() const { return keeper_->postmaster(); }
std::int64_t PrivateCluster::restarts() const { return keeper_->restarts(); }

}  // namespace catenary::server::pg
