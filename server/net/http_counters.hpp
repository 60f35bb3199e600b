#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace catenary::server::net {

/// What was answered, for /metrics. Any thread; counters only grow.
class HttpCounters {
public:
    /// A request was answered with `status`, `took` after its head was complete. Ingest is counted apart: its times include a COMMIT.
    enum class Kind { ingest, other };
    void answered(Kind kind, int status, std::chrono::steady_clock::duration took);
    /// The connection was closed instead of a reply, because nobody knows whether the request took effect.
    void dropped() { dropped_.fetch_add(1, std::memory_order_relaxed); }
    /// A batch of signals was unpacked, parsed and checked.
    void prepared(std::chrono::steady_clock::duration took) {
        prepare_micros_.fetch_add(std::chrono::duration_cast<std::chrono::microseconds>(took).count(), std::memory_order_relaxed);
    }
    /// Bytes of request bodies read.
    void received(std::uint64_t bytes) { received_bytes_.fetch_add(bytes, std::memory_order_relaxed); }

    /// Prometheus text.
    std::string text() const;

private:
    static constexpr std::array<double, 10> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5};  // seconds
    struct Series {
        std::array<std::atomic<std::int64_t>, 6> classes{};  // by hundreds of the status
        std::array<std::atomic<std::int64_t>, bounds.size() + 1> buckets{};
        std::atomic<std::int64_t> micros{0};
    };
    std::array<Series, 2> series_;
    std::atomic<std::int64_t> dropped_{0};
    std::atomic<std::int64_t> prepare_micros_{0};
    std::atomic<std::uint64_t> received_bytes_{0};
};

}  // namespace catenary::server::net
