#pragma once

#include "api/ingest/prepared.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "server/pace.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace catenary::server {

/// The accepted signals of one request, still in memory.
struct CommittedRequest {
    engine::TenantId tenant;
    engine::Position first;  ///< of `accepted[0]`; the following ones take the following positions
    std::shared_ptr<const api::ingest::PreparedBatch> batch;
    std::vector<std::uint32_t> accepted;  ///< into batch->signals
};

/// One lane's share of a committed group: positions first..last, in order, without gaps.
struct CommittedLane {
    std::int16_t lane = 0;
    engine::Position first;
    engine::Position last;
    std::vector<CommittedRequest> requests;
};

/// What one COMMIT of the committer added to the log: positions first..last, all lanes together.
struct CommittedGroup {
    engine::Position first;
    engine::Position last;
    engine::Timestamp received;
    std::size_t bytes = 0;             ///< memory held by the requests
    std::vector<CommittedLane> lanes;  ///< by first position
};

/// Carries committed groups from the committer to the lane worker, so that it need not read them back. Bounded by bytes: a group that finds no
/// room is left out, and all that come while others wait, so that the worker, which sees the gap in positions, reads one long piece from the store and not
/// many short ones. Any thread.
class HandOff {
public:
    explicit HandOff(std::size_t capacity_bytes = 256U << 20U, const Pace& pace = steady_pace) : capacity_{capacity_bytes}, pace_{pace} {}

    /// A group is about to be committed, and is then offered: whoever sees it in the store need not read it there. `dismiss` when it was not committed.
    void expect();
    void dismiss();
    /// Nothing is here, nor expected since less than `expectation`: what the store has more than was handed over comes from elsewhere.
    bool idle() const;
    /// Waits up to `patience` for room: a worker that keeps up slows ingest down rather than fall behind, but one that stands still, or has just begun to catch
    /// up again, does not. False: no room, left out.
    [[nodiscard]] bool offer(CommittedGroup group, std::chrono::milliseconds patience);
    /// The oldest group; waits until there is one, `nudge` was called, or `deadline`.
    std::optional<CommittedGroup> take(std::chrono::steady_clock::time_point deadline);
    /// Something was appended to the log that is not handed over (a control entry): lets `take` return.
    void nudge();
    /// Nobody takes any more (the worker stopped or follows): offers are left out at once. `open` undoes it.
    void close();
    void open();
    std::size_t bytes() const;

    /// As long as it lives the worker stands still and takes nothing, by intent and not for long; then it has `catching_up` times as long to catch up.
    class Standing {
    public:
        explicit Standing(HandOff& hand_off);
        ~Standing();
        Standing(const Standing&) = delete;
        Standing& operator=(const Standing&) = delete;

        static constexpr int catching_up = 4;  ///< enough at four fifths of what the worker can do

    private:
        HandOff& hand_off_;
        Pace::Time since_;
    };

    struct Usage {
        std::size_t groups, bytes, capacity;
        std::optional<engine::Timestamp> oldest;  ///< when the group that has waited longest was received
    };
    Usage usage() const;

private:
    /// A commit that takes longer hangs; entries of others must not wait for it.
    static constexpr std::chrono::milliseconds expectation{250};
    void stand(Pace::Time excused_until);
    bool is_excused() const;

    const std::size_t capacity_;
    const Pace& pace_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<CommittedGroup> groups_;
    std::size_t bytes_ = 0;
    std::optional<std::chrono::steady_clock::time_point> expected_since_;
    bool has_gap_ = false;  ///< after what waits
    bool nudged_ = false;
    bool open_ = false;
    Pace::Time excused_until_{};
};

}  // namespace catenary::server
