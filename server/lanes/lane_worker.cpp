#include "server/lanes/lane_worker.hpp"

#include "server/ingest/back_off.hpp"
#include "server/lanes/lane_tenure.hpp"
#include "server/lanes/pq_lane_database.hpp"
#include "server/observe/recurrence.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <thread>
#include <utility>

namespace catenary::server {
namespace {

using State = LeaderStatus::State;

}  // namespace

std::string LeaderStatus::text() const {
    switch (state) {
        case State::starting: return "starting";
        case State::following: return "following " + reason;
        case State::replaying: return fmt::format("replaying {} %", percent);
        case State::leading: return "leading";
        case State::retrying: return "retrying: " + reason;
        case State::stopped: break;
    }
    return reason.empty() ? "stopped" : "stopped: " + reason;
}

/// One tenure after the other, until asked to stop or the log is damaged.
class LaneWorker::Loop {
public:
    Loop(LaneWorkerOptions options, std::unique_ptr<LaneDatabase> database, engine::Catalogue shipped, Clock clock, Watermarks& watermarks,
         SourceRegistry& sources, HandOff& hand_off, pg::LaneProgress& progress, const Pace& pace)
        : options_{std::move(options)},
          database_{std::move(database)},
          shipped_{std::move(shipped)},
          clock_{std::move(clock)},
          hand_off_{hand_off},
          pace_{pace},
          stop_{pace},
          around_{options_, *database_, shipped_, clock_, pace, watermarks, sources, hand_off, progress, board_, stop_, questions_} {}
    ~Loop() { stop(); }

    void start() {
        board_.enter(State::starting);
        thread_ = std::thread{[this] { run(); }};
    }

    void stop() {
        stop_.ask();
        hand_off_.nudge();
        if (thread_.joinable()) thread_.join();
    }

    void run() {
        std::string reason;
        try {
            while (!stop_.asked()) serve_tenure();
        } catch (const PqError& error) {
            spdlog::warn("event=lane_stop_unwritten reason=\"{}\"", error.what());  // replayed at the next start
        } catch (const Unavailable& error) {
            spdlog::warn("event=lane_stop_unwritten reason=\"{}\"", error.what());
        } catch (const std::exception& error) {
            reason = error.what();
            spdlog::error("event=lane_stopped reason=\"{}\"", reason);
        }
        hand_off_.close();
        board_.enter(State::stopped, reason);
    }

    void nudge() { hand_off_.nudge(); }
    LeaderStatus status() const { return board_.read(); }
    bool ask(const EngineQuestions::Question& question, std::chrono::milliseconds patience) { return is_ready(status()) && questions_.ask(question, patience); }
    static bool is_ready(const LeaderStatus& status) { return status.state == State::leading || status.state == State::following; }

private:
    void serve_tenure() {
        LaneTenure tenure{around_};
        BackOff back_off{std::chrono::milliseconds{50}, std::chrono::milliseconds{5'000}};
        try {
            while (!stop_.asked()) {
                try {
                    tenure.run();
                    back_off.succeeded();
                    failures_.over();
                } catch (const PqError& error) {
                    retry(tenure, error.what(), back_off);
                } catch (const Unavailable& error) {
                    retry(tenure, error.what(), back_off);
                }
            }
            tenure.finish();
        } catch (const Fenced& fenced) {
            hand_off_.close();
            board_.enter(State::starting);
            spdlog::warn("event=lanes_lost reason=\"{}\"", fenced.what());
        }
    }

    void retry(LaneTenure& tenure, const std::string& reason, BackOff& back_off) {
        hand_off_.close();  // what is committed meanwhile is read back; ingest need not wait for us
        tenure.disconnect();
        const bool is_full = says_storage_full(reason);
        board_.enter(State::retrying, is_full ? "the database has no room left on its disk" : "the database cannot be reached");
        if (const auto times = failures_.note(is_full ? "full" : "", pace_.now())) spdlog::warn("event=lane_retrying times={} reason=\"{}\"", times, reason);
        back_off.failed(pace_.now());
        stop_.wait_until(back_off.next());
    }

    const LaneWorkerOptions options_;
    const std::unique_ptr<LaneDatabase> database_;
    const engine::Catalogue shipped_;
    const Clock clock_;
    HandOff& hand_off_;
    const Pace& pace_;
    ProgressBoard board_;
    StopFlag stop_;
    EngineQuestions questions_{[this] { hand_off_.nudge(); }};
    TenureSurroundings around_;
    observe::Recurrence failures_;  // of the thread
    std::thread thread_;
};

LaneWorker::LaneWorker(LaneWorkerOptions options, engine::Catalogue shipped, Clock clock, Watermarks& watermarks, SourceRegistry& sources, HandOff& hand_off,
                       pg::LaneProgress& progress)
    : LaneWorker{options,    std::make_unique<PqLaneDatabase>(options), std::move(shipped), std::move(clock), watermarks, sources, hand_off, progress,
                 steady_pace} {}
LaneWorker::LaneWorker(LaneWorkerOptions options, std::unique_ptr<LaneDatabase> database, engine::Catalogue shipped, Clock clock, Watermarks& watermarks,
                       SourceRegistry& sources, HandOff& hand_off, pg::LaneProgress& progress, const Pace& pace)
    : loop_{std::make_unique<Loop>(std::move(options), std::move(database), std::move(shipped), std::move(clock), watermarks, sources, hand_off, progress,
                                   pace)} {}
LaneWorker::~LaneWorker() = default;

void LaneWorker::start() { loop_->start(); }
void LaneWorker::run() { loop_->run(); }
void LaneWorker::stop() { loop_->stop(); }
void LaneWorker::nudge() { loop_->nudge(); }
LeaderStatus LaneWorker::status() const { return loop_->status(); }
bool LaneWorker::ask(const std::function<void(const LaneSet&)>& question, std::chrono::milliseconds patience) { return loop_->ask(question, patience); }
bool LaneWorker::ready() const { return Loop::is_ready(status()); }

}  // namespace catenary::server
