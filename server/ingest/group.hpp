#pragma once

#include "api/ingest/prepared.hpp"
#include "server/ingest/dedup_set.hpp"
#include "server/ingest/hand_off.hpp"
#include "server/ingest/leaves.hpp"
#include "server/ingest/signal_key.hpp"
#include "server/ingest/signal_sink.hpp"
#include "server/ingest/watermarks.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace catenary::server {

/// A request in the committer's queue.
struct WaitingRequest {
    engine::TenantId tenant;
    std::shared_ptr<api::ingest::PreparedBatch> batch;
    RequestDigests digests;
    SignalSink::Done done;
    std::size_t bytes = 0;
    std::chrono::steady_clock::time_point since{};  ///< when it began to wait
};

/// A row that a group adds to the log. Its position is the group's first position plus its place in `Group::rows`.
struct GroupRow {
    std::uint32_t request = 0;   ///< into Group::requests
    std::uint32_t signal = 0;    ///< into the batch's signals
    std::uint32_t entities = 0;  ///< where its entities begin in the request's digests
    Day leaf = 0;
};

struct GroupRequest {
    const WaitingRequest* waiting = nullptr;
    std::int16_t lane = 0;
    std::uint32_t first_row = 0;  ///< into Group::rows
    std::uint32_t row_count = 0;
    std::vector<api::ingest::ItemOutcome> items;
};

/// What one transaction will add: requests ordered by lane, so that the positions of a lane have no gaps, and the rows in position order.
struct Group {
    std::vector<GroupRequest> requests;
    std::vector<GroupRow> rows;
    std::vector<SignalKey> added;     ///< to the dedup set, in advance: to be taken back unless the group commits
    std::vector<Day> missing_leaves;  ///< sorted

    const SignalDigests& digests(const GroupRow& row) const { return requests[row.request].waiting->digests.signals[row.signal]; }
    const api::ingest::PreparedSignal& signal(const GroupRow& row) const { return requests[row.request].waiting->batch->signals[row.signal]; }
};

/// New leaves that one request may ask for; items beyond are refused.
inline constexpr std::size_t most_new_leaves = 64;

/// Decides each item: accepted (a row), duplicate or conflict by the dedup set, or refused for its day. Adds what it accepts to the set, so that later
/// items of the same group find it.
Group plan_group(std::span<const WaitingRequest* const> waiting, const std::map<engine::TenantId, std::int16_t>& lanes, DedupSet& stored, const Leaves& leaves,
                 const Watermarks& watermarks);

/// The group as the lane worker takes it, once it is committed at `first`.
CommittedGroup committed(const Group& group, engine::Position first, engine::Timestamp received);

}  // namespace catenary::server
