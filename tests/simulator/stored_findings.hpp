#pragma once

#include "engine/model/signal.hpp"
#include "tests/simulator/database.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace catenary::simulator {

/// A finding in the words of the store.
struct Seen {
    engine::Timestamp start;
    engine::Timestamp end;
    std::optional<engine::Timestamp> waiting_until;
    std::set<std::string> principals;                   ///< "account:alice"
    std::map<engine::SignalRef, std::string> evidence;  ///< and the id of the stage that it serves
    std::set<std::pair<engine::SignalRef, std::size_t>> late_answers;
    bool more_late_answers = false;
    friend auto operator<=>(const Seen&, const Seen&) = default;
};
std::string said(const std::optional<engine::Timestamp>& time);
std::string said(const Seen& finding);

/// A finding that is stored and not superseded.
struct StoredFinding {
    Seen finding;
    std::string id;
    std::string pattern;
    std::int32_t version = 0;
    std::string mode;
    std::string state;
    double score = 0;
    std::optional<std::int64_t> incident{};
    bool was_closed = false;  ///< its incident, at some time: then it may be as it was, not as matching would have it
};

/// What is stored of one tenant.
class TenantResults {
public:
    /// `tables` outlives this.
    TenantResults(const Tables& tables, engine::TenantId tenant);
    /// The row of its clock and counters; null: there is none.
    const nlohmann::ordered_json* status() const { return status_; }
    const std::vector<StoredFinding>& findings() const { return findings_; }
    /// Whether people merged, split, closed or reopened any incident.
    bool grouped_by_hand() const { return by_hand_; }

private:
    void read_activity(const Tables& tables, engine::TenantId tenant);
    void read_findings(const Tables& tables, engine::TenantId tenant);

    const nlohmann::ordered_json* status_ = nullptr;
    std::vector<StoredFinding> findings_;
    std::set<std::int64_t> closed_once_;
    bool reopened_ = false;
    bool by_hand_ = false;
};

}  // namespace catenary::simulator
