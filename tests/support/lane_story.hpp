#pragma once

#include "engine/lane/lane.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace catenary::test {

/// One entry of a log, as the store would hold it.
struct LogEntry {
    engine::Position position;
    engine::TenantId tenant;
    engine::Timestamp admitted;
    std::variant<engine::Signal, engine::ControlBody> body;
};

/// What a store holds after writing effects: the last state of each record, evidence by finding, histories.
struct Stored {
    std::map<engine::FindingId, engine::FindingRecord> findings;
    std::map<engine::FindingId, std::map<engine::SignalRef, std::string>> evidence;
    std::map<engine::IncidentNumber, engine::IncidentRecord> incidents;
    std::vector<engine::IncidentActivity> activity;
    std::set<engine::SignalRef> late;
    std::set<engine::SignalRef> awaiting;  ///< a re-match
    engine::TenantStatus status;
    std::vector<engine::NearMissRecord> near_misses;
    std::size_t stored_edits = 0;  ///< edits made on stored records

    void write(const engine::TenantEffects& effects);
    /// Findings that are not superseded, by (start, id).
    std::vector<engine::FindingRecord> live_findings() const;
    /// Incidents that do not redirect, by number.
    std::vector<engine::IncidentRecord> live_incidents() const;
    /// The `what` of each line of one incident's history, in order.
    std::vector<std::string> history(engine::IncidentNumber number) const;
};

/// A lane with its log and its store, fed entry by entry. `Stored` is brought up to date by `stored()` and before every entry that reads history,
/// as a lane worker would.
class LaneStory {
public:
    explicit LaneStory(engine::Catalogue shipped = {});

    LaneStory& at(engine::Timestamp now) {
        now_ = now;
        return *this;
    }
    /// Applies a signal admitted at its own time, or at `now` when that is later.
    LaneStory& signal(const engine::Signal& signal);
    LaneStory& control(const engine::ControlBody& body);
    LaneStory& entry(const LogEntry& entry);
    /// Whether whoever reads the store for re-matches does so; at the beginning they do.
    LaneStory& rematching(bool does) {
        rematches_ = does;
        return *this;
    }
    /// Whether what nothing names is forgotten after each entry, which shows who still needs it; at the beginning it is. Else the lane does so when it is due.
    LaneStory& forgetting_at_once(bool does) {
        forgets_at_once_ = does;
        return *this;
    }
    /// Passes minutes in which nothing happens until nothing waits to be matched again; the watermark does not move by it.
    LaneStory& finish_rematches();
    LaneStory& tenant(std::int32_t id) {
        tenant_ = engine::TenantId{id};
        return *this;
    }

    engine::Lane& lane() { return lane_; }
    const std::vector<LogEntry>& log() const { return log_; }
    Stored& stored() { return stored(tenant_); }
    Stored& stored(engine::TenantId tenant);
    std::string digest() const { return lane_.digest(tenant_); }
    std::size_t take() { return taken().size(); }
    /// What `take` wrote.
    engine::Effects taken();
    /// The same log and store with another lane, which goes on from here.
    LaneStory resumed_with(engine::Lane lane) const;
    /// The same with a lane that matched the log anew and carried over what is stored, `at` some time. Nothing of that is stored yet.
    LaneStory begun_anew(engine::Catalogue shipped, engine::Timestamp at);

private:
    std::vector<engine::StoredSignal> history(const engine::HistoryRequest& request, engine::Position before);
    engine::RematchAnswer answer(const engine::RematchRequest& request);

    engine::Lane lane_;
    std::vector<LogEntry> log_;
    std::map<engine::TenantId, Stored> stored_;
    engine::TenantId tenant_{1};
    engine::Timestamp now_{};
    bool rematches_ = true;
    bool forgets_at_once_ = true;
};

/// Everything effects say, as text: equal texts are equal effects.
std::string as_text(const engine::Effects& effects);
std::string as_text(const engine::FindingRecord& finding);

/// 2026-03-05T00:00:00Z, where stories begin.
inline engine::Timestamp story_day() { return engine::Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 3 / 5}}; }

struct StageSpec {
    std::string name;  ///< of the signals it wants; also the stage's id
    bool optional = false;
};
/// A pattern whose stages want signals by name, linked by one account unless `kinds` says otherwise (empty: not linked).
engine::Pattern pattern_of(std::string id, std::vector<StageSpec> stages, engine::Duration within = std::chrono::hours{24},
                           std::vector<std::string> kinds = {"account"});
std::shared_ptr<const engine::Pattern> shared(engine::Pattern pattern);

/// A signal `name` of `account`, with an id of its own made of name, account and time.
engine::Signal signal_of(const std::string& name, engine::Duration after_start, const std::string& account, double confidence = 0.35);

}  // namespace catenary::test
