#pragma once

#include "server/ingest/committer.hpp"
#include "tests/support/postgres_fixture.hpp"
#include "tests/support/signal_batches.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace catenary::tests {

/// 2026-03-05T22:00:00Z; tests count from here.
inline constexpr engine::Timestamp story_begin = std::chrono::sys_days{std::chrono::year{2026} / 3 / 5} + std::chrono::hours{22};

/// A committer on a test's database, with what it is wired to. The admission clock stands still unless moved.
class IngestRig {
public:
    explicit IngestRig(TestDatabase& database, server::CommitterOptions options = {}) : database_{database} {
        options.dsn = database.dsn(server::pg::Role::ingest).text();
        committer_ = std::make_unique<server::Committer>(
            options, [this] { return engine::from_micros(now_.load()); }, watermarks, sources, hand_off);
    }

    server::Committer& committer() { return *committer_; }
    void start() { committer_->start(); }
    void stop() { committer_->stop(); }
    void set_clock(engine::Timestamp now) { now_ = engine::to_micros(now); }

    std::future<api::ingest::CommitOutcome> submit(engine::TenantId tenant, std::shared_ptr<api::ingest::PreparedBatch> batch) {
        auto promise = std::make_shared<std::promise<api::ingest::CommitOutcome>>();
        auto future = promise->get_future();
        committer_->submit(tenant, std::move(batch), [promise](api::ingest::CommitOutcome outcome) { promise->set_value(std::move(outcome)); });
        return future;
    }
    api::ingest::CommitOutcome post(engine::TenantId tenant, const std::vector<BatchBuilder::Item>& items) {
        BatchBuilder builder;
        for (const auto& item : items) builder.add(item);
        return submit(tenant, builder.build()).get();
    }

    server::Watermarks watermarks;
    server::SourceRegistry sources;
    server::HandOff hand_off{64U << 20U};

private:
    TestDatabase& database_;
    std::atomic<std::int64_t> now_{engine::to_micros(story_begin)};
    std::unique_ptr<server::Committer> committer_;
};

/// A signal with this id, `after` the begin of the story.
inline BatchBuilder::Item item(const std::string& id, std::chrono::microseconds after = std::chrono::microseconds{0}) {
    BatchBuilder::Item made;
    made.id = id;
    made.time = story_begin + after;
    return made;
}

/// "adcr": accepted, duplicate, conflict, refused, one letter an item; the state's name when it is not committed.
inline std::string summary(const api::ingest::CommitOutcome& outcome) {
    using State = api::ingest::CommitOutcome::State;
    if (outcome.state == State::overloaded) return "overloaded";
    if (outcome.state == State::unavailable) return "unavailable";
    if (outcome.state == State::unknown) return "unknown";
    if (outcome.state == State::storage_full) return "storage_full";
    if (outcome.state == State::failed) return "failed";
    std::string text;
    for (const auto& item : outcome.items) text += item.refused ? 'r' : "adc"[static_cast<int>(item.status)];
    return text;
}

}  // namespace catenary::tests
