#include "server/ingest/committer.hpp"

#include "server/ingest/back_off.hpp"
#include "server/ingest/ingest_queue.hpp"
#include "server/ingest/ingest_session.hpp"
#include "server/ingest/pq_ingest_store.hpp"
#include "server/observe/recurrence.hpp"

#include <spdlog/spdlog.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

namespace catenary::server {
namespace {

using api::ingest::CommitOutcome;
using api::ingest::ItemStatus;
using Steady = std::chrono::steady_clock;

/// As many rows as make COPY cheap (copy_statement_rows): a group that waits for more waits for these.
constexpr std::size_t enough_items = 5'000;
/// Days are made ahead, and a lost connection is noticed, also while nothing comes in.
constexpr std::chrono::seconds idle_round{10};

std::size_t bytes_of(const api::ingest::PreparedBatch& batch) {
    // The body, about as much again in the arena, and the structs with their digests.
    return 2 * batch.body.size() + batch.signals.size() * (sizeof(api::ingest::PreparedSignal) + sizeof(SignalDigests) + 4 * sizeof(Digest));
}

/// Adds a group's accepted signals to the registry, run by run: neighbours mostly share source and domain.
void note_sources(SourceRegistry& sources, const Group& group, engine::Timestamp received) {
    for (std::size_t row = 0; row < group.rows.size();) {
        const auto& first = group.signal(group.rows[row]);
        const auto request = group.rows[row].request;
        auto newest = first.time;
        std::int64_t count = 0;
        for (; row < group.rows.size() && group.rows[row].request == request; ++row, ++count) {
            const auto& signal = group.signal(group.rows[row]);
            if (signal.source != first.source || signal.domain != first.domain) break;
            newest = std::max(newest, signal.time);
        }
        sources.note(group.requests[request].waiting->tenant, first.source, first.domain, count, newest, received);
    }
}

}  // namespace

std::string CommitterStatus::text() const {
    if (state == State::stopped) return "stopped";
    if (storage_full) return "storage_full: " + *storage_full;
    switch (state) {
        case State::starting: return "starting";
        case State::running: return "running";
        case State::reconnecting: return "reconnecting: the database cannot be reached";
        case State::stopped: break;
    }
    return "stopped";
}

class Committer::Writer {
public:
    Writer(CommitterOptions options, std::unique_ptr<IngestStore> store, Clock clock, const Watermarks& watermarks, SourceRegistry& sources, HandOff& hand_off,
           const Pace& pace)
        : options_{std::move(options)},
          clock_{std::move(clock)},
          sources_{sources},
          hand_off_{hand_off},
          pace_{pace},
          queue_{options_.queue_items, options_.queue_bytes, pace},
          session_{std::move(store), options_.dedup_bytes, watermarks} {}

    void start() {
        set_state(CommitterStatus::State::starting);
        thread_ = std::thread{[this] { run(); }};
    }

    void stop(std::chrono::milliseconds grace) {
        give_up_at_ = pace_.now() + grace;
        queue_.close();
        if (thread_.joinable()) thread_.join();
        fail(queue_.take(options_.queue_items, 0, {}, pace_.now()), CommitOutcome::State::unavailable);  // what waited for a writer that never started
        set_state(CommitterStatus::State::stopped);
    }

    void run() {
        std::size_t side_by_side = 0;  // requests in the last group
        connect();
        while (true) {
            const auto round = full_ ? options_.probe_round : std::chrono::milliseconds{idle_round};
            const auto until = session_.connected() ? pace_.now() + round : std::max(back_off_.next(), pace_.now() + std::chrono::milliseconds{10});
            const auto linger = side_by_side > 1 ? options_.linger : std::chrono::milliseconds{0};
            auto waiting = queue_.take(options_.group_items, enough_items, linger, until);
            if (waiting.empty() && queue_.closed()) return;
            if (!session_.connected() && back_off_.due(pace_.now())) connect();
            if (!waiting.empty()) side_by_side = waiting.size();
            process(waiting);
        }
    }

    void submit(engine::TenantId tenant, std::shared_ptr<api::ingest::PreparedBatch> batch, Done done) {
        if (batch->signals.empty()) {
            done(CommitOutcome{});
            return;
        }
        WaitingRequest request{tenant, std::move(batch), {}, std::move(done), 0, pace_.now()};
        request.bytes = bytes_of(*request.batch);
        // Before the first connection the key is not known; the writer computes the digests then.
        if (key_known_.load(std::memory_order_acquire)) {
            Digester digester{session_.key()};
            request.digests = digest_request(digester, tenant, *request.batch);
        }
        if (auto refused = queue_.put(std::move(request))) {
            count([](CommitterStatus& status) { ++status.overloaded; });
            refused->done(CommitOutcome{CommitOutcome::State::overloaded, {}});
        }
    }

    std::optional<SignalKey> key_of(engine::TenantId tenant, std::string_view source, std::string_view id) const {
        if (!key_known_.load(std::memory_order_acquire)) return std::nullopt;
        return session_.key_of(tenant, source, id);
    }

    CommitterStatus status() const {
        const auto depth = queue_.depth();
        const std::lock_guard lock{mutex_};
        auto status = status_;
        status.waiting_items = depth.items;
        status.waiting_bytes = depth.bytes;
        status.most_waiting_items = options_.queue_items;
        status.most_waiting_bytes = options_.queue_bytes;
        return status;
    }

private:
    void connect() {
        try {
            session_.connect(clock_());
            back_off_.succeeded();
            key_known_.store(true, std::memory_order_release);
            set_state(CommitterStatus::State::running);
            losses_.over();
        } catch (const PqError& error) {
            failed(error);
            lost(error.what());
        }
    }

    void lost(const std::string& reason) {
        session_.disconnect();
        back_off_.failed(pace_.now());
        set_state(CommitterStatus::State::reconnecting);
        if (const auto times = losses_.note("", pace_.now())) spdlog::warn("event=committer_disconnected times={} reason=\"{}\"", times, reason);
    }

    /// Whatever the database failed: counted, told, and remembered when it has no room.
    void failed(const PqError& error) { failed(error.what(), error.sqlstate(), is_storage_full(error)); }
    void failed(const std::string& reason, std::string_view kind, bool storage_full) {
        count([](CommitterStatus& status) { ++status.failures; });
        if (storage_full) return full("the database has no room left on its disk", reason);
        if (const auto times = failures_.note(kind, pace_.now())) spdlog::error("event=ingest_failed times={} reason=\"{}\"", times, reason);
    }

    /// `shown` to everybody, `reason` to the log.
    void full(const std::string& shown, const std::string& reason) {
        full_ = true;
        next_probe_ = pace_.now() + options_.probe_round;
        count([&](CommitterStatus& status) { status.storage_full = shown; });
        if (const auto times = shortages_.note("", pace_.now())) spdlog::error("event=storage_full times={} reason=\"{}\"", times, reason);
    }

    void found_room() {
        if (!std::exchange(full_, false)) return;
        count([](CommitterStatus& status) { status.storage_full.reset(); });
        spdlog::warn("event=storage_has_room refused={}", shortages_.over());
    }

    /// Whether a group may be tried. Requests do not try a full disk: what they write before they fail is WAL, which fills it further. Throws PqError.
    bool has_room() {
        if (const auto shortage = options_.shortage ? options_.shortage() : std::nullopt) {
            full(*shortage, *shortage);
            return false;
        }
        if (!full_) return true;
        if (!session_.connected() || pace_.now() < next_probe_) return false;
        session_.probe_room();
        found_room();
        return true;
    }

    void process(std::vector<WaitingRequest>& waiting) {
        std::vector<const WaitingRequest*> group;
        try {
            if (!has_room()) return fail(waiting, CommitOutcome::State::storage_full);
            if (session_.connected()) session_.prepare_days(clock_());
            if (options_.first_kept) session_.take_from(options_.first_kept());
            if (waiting.empty() || !session_.connected()) return fail(waiting, CommitOutcome::State::unavailable);
            for (auto& request : waiting) {
                group.push_back(&request);
                if (!request.digests.signals.empty()) continue;
                Digester digester{session_.key()};
                request.digests = digest_request(digester, request.tenant, *request.batch);
            }
            session_.find_tenants(group);
        } catch (const PqError& error) {
            failed(error);
            if (error.broken()) lost(error.what());
            return fail(waiting, full_ ? CommitOutcome::State::storage_full : CommitOutcome::State::failed);
        }
        const auto stranger = std::stable_partition(group.begin(), group.end(), [this](const auto* request) { return session_.knows(request->tenant); });
        for (auto it = stranger; it != group.end(); ++it) {
            spdlog::error("event=unknown_tenant tenant={}", (*it)->tenant.value());
            answer(**it, CommitOutcome{CommitOutcome::State::failed, {}});
        }
        group.erase(stranger, group.end());
        if (pace_.now() > give_up_at_.load()) {
            for (const auto* request : group) answer(*request, CommitOutcome{CommitOutcome::State::unavailable, {}});
            return;
        }
        if (!group.empty()) write(group);
    }

    void write(std::span<const WaitingRequest* const> requests) {
        const auto begin = pace_.now();
        Steady::duration waited{};
        for (const auto* request : requests) waited += begin - request->since;
        hand_off_.expect();
        auto result = session_.run(requests, clock_());
        const auto took = pace_.now() - begin;
        count([&](CommitterStatus& status) {
            status.commit_time += std::chrono::duration_cast<std::chrono::microseconds>(took);
            status.wait_time += std::chrono::duration_cast<std::chrono::microseconds>(waited);
        });
        if (result.fate == GroupFate::poisoned && requests.size() > 1) {
            for (const auto* request : requests) write({&request, 1});  // only the one that holds the value fails
            return;
        }
        if (result.collided) count([](CommitterStatus& status) { ++status.key_collisions; });
        if (result.fate == GroupFate::committed) return finish(std::move(result));
        hand_off_.dismiss();
        failed(result.reason, result.fate == GroupFate::unknown ? "unknown" : "group", result.storage_full);
        const auto state = refusal(result);
        for (const auto* request : requests) answer(*request, CommitOutcome{state, {}});
        if (!session_.connected()) lost(result.reason);
    }

    CommitOutcome::State refusal(const GroupResult& result) const {
        if (result.fate == GroupFate::unknown) return CommitOutcome::State::unknown;
        if (result.storage_full) return CommitOutcome::State::storage_full;
        return session_.connected() ? CommitOutcome::State::failed : CommitOutcome::State::unavailable;
    }

    void finish(GroupResult result) {
        count([&](CommitterStatus& status) {
            status.groups += result.group.rows.empty() ? 0 : 1;
            if (!result.group.rows.empty()) status.last = engine::Position{result.first.value() + static_cast<std::int64_t>(result.group.rows.size()) - 1};
            status.accepted += result.group.rows.size();
            for (const auto& request : result.group.requests) {
                for (const auto& item : request.items) {
                    status.duplicates += item.status == ItemStatus::duplicate ? 1 : 0;
                    status.conflicts += item.status == ItemStatus::conflict ? 1 : 0;
                    status.late += item.late ? 1 : 0;
                }
            }
            status.dedup_entries = session_.stored().size();
            status.dedup_evicted = session_.stored().evicted();
        });
        std::optional<CommittedGroup> handed;
        if (!result.group.rows.empty()) handed = committed(result.group, result.first, result.received);
        for (auto& request : result.group.requests) answer(*request.waiting, CommitOutcome{CommitOutcome::State::committed, std::move(request.items)});
        if (!handed) return hand_off_.dismiss();
        note_sources(sources_, result.group, result.received);
        const bool taken = hand_off_.offer(*std::move(handed), options_.hand_off_patience);
        count([taken](CommitterStatus& status) { ++(taken ? status.handed_over : status.left_out); });
    }

    void fail(const std::vector<WaitingRequest>& waiting, CommitOutcome::State state) {
        for (const auto& request : waiting) answer(request, CommitOutcome{state, {}});
    }

    void answer(const WaitingRequest& request, CommitOutcome outcome) {
        count([state = outcome.state](CommitterStatus& status) {
            using enum CommitOutcome::State;
            status.unavailable += state == unavailable || state == failed || state == storage_full ? 1 : 0;
            status.without_room += state == storage_full ? 1 : 0;
            status.unknown += state == unknown ? 1 : 0;
        });
        request.done(std::move(outcome));
    }

    template <class Change>
    void count(Change&& change) {
        const std::lock_guard lock{mutex_};
        change(status_);
    }
    void set_state(CommitterStatus::State state) {
        count([state](CommitterStatus& status) { status.state = state; });
    }

    const CommitterOptions options_;
    const Clock clock_;
    SourceRegistry& sources_;
    HandOff& hand_off_;
    const Pace& pace_;
    IngestQueue queue_;
    std::atomic<bool> key_known_{false};
    std::atomic<Steady::time_point> give_up_at_{Steady::time_point::max()};
    mutable std::mutex mutex_;  // guards status_
    CommitterStatus status_;
    IngestSession session_;  // of the writer thread, but for its key
    bool full_ = false;      // of the writer thread, as what follows
    Steady::time_point next_probe_{};
    observe::Recurrence losses_, failures_, shortages_;
    BackOff back_off_{std::chrono::milliseconds{50}, std::chrono::milliseconds{2'000}};
    std::thread thread_;
};

Committer::Committer(CommitterOptions options, Clock clock, const Watermarks& watermarks, SourceRegistry& sources, HandOff& hand_off)
    : writer_{std::make_unique<Writer>(options, std::make_unique<PqIngestStore>(options.dsn, options.dictionary_bytes), std::move(clock), watermarks, sources,
                                       hand_off, steady_pace)} {}
Committer::Committer(CommitterOptions options, std::unique_ptr<IngestStore> store, Clock clock, const Watermarks& watermarks, SourceRegistry& sources,
                     HandOff& hand_off, const Pace& pace)
    : writer_{std::make_unique<Writer>(std::move(options), std::move(store), std::move(clock), watermarks, sources, hand_off, pace)} {}
Committer::~Committer() { stop(); }

void Committer::start() { writer_->start(); }
void Committer::run() { writer_->run(); }
void Committer::stop(std::chrono::milliseconds grace) { writer_->stop(grace); }
void Committer::submit(engine::TenantId tenant, std::shared_ptr<api::ingest::PreparedBatch> batch, Done done) {
    writer_->submit(tenant, std::move(batch), std::move(done));
}
std::optional<SignalKey> Committer::key_of(engine::TenantId tenant, std::string_view source, std::string_view id) const {
    return writer_->key_of(tenant, source, id);
}

CommitterStatus Committer::status() const { return writer_->status(); }

}  // namespace catenary::server
