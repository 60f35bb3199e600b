#pragma once

// Work that takes longer than a request may. Part of ports.hpp, which says what every port promises.

#include "api/ports/caller.hpp"
#include "api/ports/outcome.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace catenary::api::ports {

/// What a version of a pattern would have found in the signals that are stored.
struct BacktestRequest {
    std::string pattern;
    std::int32_t version = 1;    ///< stored, or the one that the document would become
    bool is_inline = false;      ///< the document came with the request and is not stored otherwise
    std::string document_json;   ///< normal form
    engine::Timestamp from, to;  ///< of the last completing signals of instances, both inclusive
};

///   queued ─▶ running ─▶ done | failed
///      └─────────┴─────▶ cancelled
/// A job whose server stops or dies is begun anew by another.
enum class JobState { queued, running, done, failed, cancelled };
constexpr const char* to_string(JobState state) {
    switch (state) {
        case JobState::queued: return "queued";
        case JobState::running: return "running";
        case JobState::done: return "done";
        case JobState::failed: return "failed";
        case JobState::cancelled: return "cancelled";
    }
    return "";
}

struct Job {
    std::string id;  ///< a UUID as text
    JobState state = JobState::queued;
    BacktestRequest request;  ///< without the document
    engine::Timestamp created;
    std::string created_by;  ///< id of a key
    std::optional<engine::Timestamp> started, ended;
    std::int64_t read = 0;              ///< signals so far
    std::optional<std::int64_t> total;  ///< of how many; empty until they are counted
    std::string error;                  ///< why it failed, safe to show; "" otherwise
    std::string result_json;            ///< of one that is done; "" otherwise and in lists
};

class JobStore {
public:
    virtual ~JobStore() = default;
    /// Queues a backtest; conflict when the tenant has as many that wait or run as it may.
    virtual Outcome<Job> add(const Caller& caller, const BacktestRequest& wanted) = 0;
    virtual Outcome<Job> find(const Caller& caller, const std::string& id) = 0;
    /// Newest first, without results.
    virtual Outcome<Page<Job>> page(const Caller& caller, const PageRequest& request) = 0;
    /// Ends one that waits or runs; one that was cancelled stays so. conflict when it has ended otherwise.
    virtual Outcome<Job> cancel(const Caller& caller, const std::string& id) = 0;
};

}  // namespace catenary::api::ports
