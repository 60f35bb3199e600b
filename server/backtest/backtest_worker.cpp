#include "server/backtest/backtest_worker.hpp"

#include "server/ingest/pq_error.hpp"

#include <spdlog/spdlog.h>
#include <nlohmann/json.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <exception>
#include <utility>

namespace catenary::server {
namespace {

constexpr int niceness = 10;

/// Of this thread alone, which Linux allows: whoever takes signals in or correlates them goes first.
void lower_priority() {
    if (::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness) != 0) spdlog::warn("event=backtest_priority_unchanged");
}

/// Tells while a job runs how far it is, and interrupts it when it is not wanted any more.
class JobWatch {
public:
    JobWatch(const BacktestWorkerOptions& options, const pg::ClaimedJob& job, const BacktestProgress& progress, Interrupt& interrupt)
        : queue_{options.dsn}, job_{job}, progress_{progress}, interrupt_{interrupt} {
        rounds_.start(options.beat, [this] { beat(); });
    }
    ~JobWatch() { rounds_.stop(); }
    JobWatch(const JobWatch&) = delete;
    JobWatch& operator=(const JobWatch&) = delete;

private:
    void beat() {
        const std::int64_t total = progress_.total;
        const auto is_ours = queue_.beat(job_, progress_.read, total < 0 ? std::nullopt : std::optional{total});
        if (is_ours.has_value() && !*is_ours) interrupt_.ask();
        if (is_ours) return;
        if (const auto times = failures_.note("", std::chrono::steady_clock::now()))
            spdlog::warn("event=backtest_beat_failed job={} times={} reason=\"{}\"", job_.id, times, is_ours.error().detail);
    }

    pg::JobQueue queue_;
    const pg::ClaimedJob& job_;
    const BacktestProgress& progress_;
    Interrupt& interrupt_;
    observe::Recurrence failures_;
    Rounds rounds_;
};

}  // namespace

BacktestWorker::BacktestWorker(BacktestWorkerOptions options) : options_{std::move(options)}, queue_{options_.dsn} {}

void BacktestWorker::start() {
    rounds_.start(options_.round, [this] {
        lower_priority();
        while (!stopping_ && run_once()) {
        }
    });
}

void BacktestWorker::stop() {
    stopping_ = true;
    rounds_.stop([this] {
        const std::lock_guard lock{mutex_};
        if (interrupt_) interrupt_->ask();
    });
}

bool BacktestWorker::run_once() {
    forget_old();
    const auto job = queue_.claim(options_.silence);
    if (!job) {
        if (const auto times = failures_.note("", std::chrono::steady_clock::now()))
            spdlog::warn("event=backtest_not_claimed times={} reason=\"{}\"", times, job.error().detail);
        return false;
    }
    failures_.over();
    if (!*job) return false;
    run(**job);
    return true;
}

void BacktestWorker::run(const pg::ClaimedJob& job) {
    if (job.claim > options_.most_claims) {
        return report_failure(job, "its server died again and again", "the server that ran it ended before it was done, several times over");
    }
    const auto interrupt = std::make_shared<Interrupt>();
    {
        const std::lock_guard lock{mutex_};
        interrupt_ = interrupt;
        usage_.running = true;
    }
    BacktestProgress progress;
    std::string failure, shown, result;
    bool interrupted = false;
    bool lost = false;  // the database: nothing can be said to it, and the job is begun anew once it is back
    try {
        const JobWatch watch{options_, job, progress, *interrupt};
        result = api::json::to_json(run_backtest(job.tenant, job.request, {options_.dsn, *interrupt, progress, options_.is_busy}))
                     .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    } catch (const Interrupted&) {
        interrupted = true;
    } catch (const PqError& error) {
        lost = error.broken();
        failure = error.what();
        shown = "the database failed while signals were read; ask for it again";
    } catch (const std::exception& error) {
        failure = error.what();
        shown = "what is stored could not be read; the log has the reason";
    }
    {
        const std::lock_guard lock{mutex_};
        interrupt_.reset();
        usage_.running = false;
        if (interrupted && !stopping_) ++usage_.cancelled;
    }
    if (lost) return spdlog::warn("event=backtest_interrupted job={} reason=\"{}\"", job.id, failure);
    if (!failure.empty()) return report_failure(job, failure, shown);
    if (!interrupted) {
        const auto kept = queue_.done(job, progress.read, result);
        if (!kept) spdlog::warn("event=backtest_result_lost job={} reason=\"{}\"", job.id, kept.error().detail);  // silent from now on, so it is begun anew
        const std::lock_guard lock{mutex_};
        ++(kept.has_value() && *kept ? usage_.done : usage_.cancelled);
        usage_.signals += progress.read;
        return;
    }
    if (!stopping_) return;
    if (const auto released = queue_.release(job); !released)
        spdlog::warn("event=backtest_not_given_back job={} reason=\"{}\"", job.id, released.error().detail);
}

void BacktestWorker::report_failure(const pg::ClaimedJob& job, const std::string& reason, const std::string& shown) {
    spdlog::warn("event=backtest_failed job={} tenant={} reason=\"{}\"", job.id, job.tenant.value(), reason);
    if (const auto said = queue_.failed(job, shown); !said) spdlog::warn("event=backtest_failure_unsaid job={} reason=\"{}\"", job.id, said.error().detail);
    const std::lock_guard lock{mutex_};
    ++usage_.failed;
}

void BacktestWorker::forget_old() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_forgetting_) return;
    next_forgetting_ = now + std::chrono::minutes{1};
    if (const auto forgotten = queue_.forget(options_.kept); !forgotten) spdlog::warn("event=jobs_not_forgotten reason=\"{}\"", forgotten.error().detail);
}

BacktestWorker::Usage BacktestWorker::usage() const {
    const std::lock_guard lock{mutex_};
    return usage_;
}

}  // namespace catenary::server
