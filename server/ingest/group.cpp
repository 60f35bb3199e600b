#include "server/ingest/group.hpp"

#include "api/json/time_json.hpp"
#include "engine/model/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

namespace catenary::server {
namespace {

using api::ingest::ItemOutcome;
using api::ingest::ItemStatus;

ItemOutcome refused(engine::FaultCode code, std::string detail) {
    ItemOutcome outcome;
    outcome.refused = true;
    outcome.errors.push_back({code, "/time", std::move(detail)});
    return outcome;
}

ItemOutcome repeated(const DedupSet::Stored& stored, const SignalDigests& digests) {
    ItemOutcome outcome;
    outcome.status = ItemStatus::duplicate;
    if (stored.key == digests.key && stored.content == digests.content) return outcome;
    outcome.status = ItemStatus::conflict;
    outcome.errors.push_back({engine::FaultCode::conflict, "/id", "a signal with other content is stored under this source and id; the first content stays"});
    return outcome;
}

class Planner {
public:
    Planner(DedupSet& stored, const Leaves& leaves, const Watermarks& watermarks) : stored_{stored}, leaves_{leaves}, watermarks_{watermarks} {}

    void add(const WaitingRequest& waiting, std::int16_t lane) {
        const auto watermark = watermarks_.of(waiting.tenant);
        std::set<Day> new_leaves;
        GroupRequest request{&waiting, lane, static_cast<std::uint32_t>(group_.rows.size()), 0, {}};
        request.items.reserve(waiting.batch->signals.size());
        const auto index = static_cast<std::uint32_t>(group_.requests.size());
        std::uint32_t entities = 0;
        for (std::uint32_t i = 0; i < waiting.batch->signals.size(); ++i) {
            const auto& signal = waiting.batch->signals[i];
            request.items.push_back(decide(waiting.digests.signals[i], signal.time, new_leaves));
            auto& item = request.items.back();
            if (item.status == ItemStatus::accepted && !item.refused) {
                item.late = watermark && signal.time < *watermark;
                group_.rows.push_back({index, i, entities, leaves_.calendar().leaf_of(day_of(signal.time))});
            }
            entities += static_cast<std::uint32_t>(signal.entities.size());
        }
        request.row_count = static_cast<std::uint32_t>(group_.rows.size()) - request.first_row;
        group_.requests.push_back(std::move(request));
        missing_.merge(new_leaves);
    }

    Group finish() {
        group_.missing_leaves.assign(missing_.begin(), missing_.end());
        return std::move(group_);
    }

private:
    ItemOutcome decide(const SignalDigests& digests, engine::Timestamp time, std::set<Day>& new_leaves) {
        const auto day = day_of(time);
        if (day < LeafCalendar::first_day()) return refused(engine::FaultCode::out_of_range, "signals before 1990 are not stored");
        if (day < leaves_.first_taken()) {
            return refused(engine::FaultCode::out_of_range, fmt::format("{} is before {}: older signals are not kept (--retention-days)",
                                                                        api::json::format_time(time), api::json::format_time(start_of(leaves_.first_taken()))));
        }
        if (const auto stored = stored_.find(digests.key)) return repeated(*stored, digests);
        const auto leaf = leaves_.calendar().leaf_of(day);
        if (!leaves_.exists(leaf) && !new_leaves.contains(leaf)) {
            if (new_leaves.size() == most_new_leaves) {
                return refused(engine::FaultCode::too_large,
                               "too_many_new_days: one request may open 64 days that hold no signals yet; send the rest in further requests");
            }
            new_leaves.insert(leaf);
        }
        stored_.add({digests.key, digests.content});
        group_.added.push_back(digests.key);
        return {};
    }

    DedupSet& stored_;
    const Leaves& leaves_;
    const Watermarks& watermarks_;
    Group group_;
    std::set<Day> missing_;
};

}  // namespace

Group plan_group(std::span<const WaitingRequest* const> waiting, const std::map<engine::TenantId, std::int16_t>& lanes, DedupSet& stored, const Leaves& leaves,
                 const Watermarks& watermarks) {
    std::vector<std::pair<std::int16_t, const WaitingRequest*>> by_lane;
    by_lane.reserve(waiting.size());
    for (const auto* request : waiting) {
        const auto lane = lanes.find(request->tenant);
        CATENARY_ASSERT(lane != lanes.end(), "tenants are looked up before a group is planned");
        by_lane.emplace_back(lane->second, request);
    }
    std::stable_sort(by_lane.begin(), by_lane.end(), [](const auto& left, const auto& right) { return left.first < right.first; });
    Planner planner{stored, leaves, watermarks};
    for (const auto& [lane, request] : by_lane) planner.add(*request, lane);
    return planner.finish();
}

CommittedGroup committed(const Group& group, engine::Position first, engine::Timestamp received) {
    const auto count = static_cast<std::int64_t>(group.rows.size());
    CommittedGroup result{first, engine::Position{first.value() + count - 1}, received, 0, {}};
    for (const auto& request : group.requests) {
        if (request.row_count == 0) continue;
        if (result.lanes.empty() || result.lanes.back().lane != request.lane) {
            result.lanes.push_back({request.lane, engine::Position{first.value() + request.first_row}, {}, {}});
        }
        CommittedRequest handed{request.waiting->tenant, engine::Position{first.value() + request.first_row}, request.waiting->batch, {}};
        handed.accepted.reserve(request.row_count);
        for (std::uint32_t row = request.first_row; row < request.first_row + request.row_count; ++row) handed.accepted.push_back(group.rows[row].signal);
        result.lanes.back().last = engine::Position{first.value() + request.first_row + request.row_count - 1};
        result.lanes.back().requests.push_back(std::move(handed));
        result.bytes += request.waiting->bytes;
    }
    return result;
}

}  // namespace catenary::server
