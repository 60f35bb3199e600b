#pragma once

#include "engine/incidents/stored_incidents.hpp"
#include "engine/lane/control.hpp"
#include "engine/lane/effects.hpp"
#include "engine/lane/stored_signal.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/signal.hpp"

#include <boost/system/result.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::engine {

/// What ships with the program: patterns in production in every tenant. Compiled once, shared.
using Catalogue = std::vector<std::shared_ptr<const Pattern>>;

/// Why bytes were not taken for a lane's state. Whatever the reason, the state follows from the log.
struct SnapshotRefusal {
    enum class Reason {
        damaged,          ///< not what was saved: throw it away
        other_engine,     ///< saved by another version of the program, which may understand the same log differently
        other_catalogue,  ///< other patterns shipped then
        unknown_pattern,  ///< a tenant's pattern was not among those given
    };
    Reason reason;
    std::string detail;  ///< for people
};
const char* to_string(SnapshotRefusal::Reason reason);
template <class T>
using SnapshotResult = boost::system::result<T, SnapshotRefusal>;
/// For `SnapshotResult::value()` on a refusal (found by ADL): throws std::invalid_argument.
[[noreturn]] void throw_exception_from_error(const SnapshotRefusal& refusal, const boost::source_location& where);

/// Hash (hex) of a catalogue's content: the same of catalogues that are in every respect the same.
std::string catalogue_hash(const Catalogue& shipped);

/// All state of the tenants of one lane. A pure deterministic machine (guarantees.md 1): no clock, randomness, I/O or threads; time is what entries say.
/// One owner thread. Entries must come in position order.
class Lane {
public:
    explicit Lane(Catalogue shipped);
    ~Lane();
    Lane(Lane&&) noexcept;
    Lane& operator=(Lane&&) noexcept;

    /// A signal was stored at `position`, admitted at `admitted` (server clock at ingest, never read here).
    void apply(Position position, TenantId tenant, Timestamp admitted, const SignalView& signal);

    /// The stored signals that `apply` of this entry needs, if any.
    std::optional<HistoryRequest> history_for(TenantId tenant, const ControlBody& body) const;

    /// `history`: answer to `history_for`, in (time, source, id) order; empty when nothing was asked for.
    void apply(Position position, TenantId tenant, Timestamp admitted, const ControlBody& body, std::span<const StoredSignal> history);

    /// Whether the tenant of the last entry has something to match again before its next entry is applied; costs nothing.
    bool wants_rematch() const;
    /// The stored signals that are wanted for it: asked and answered until nothing is wanted, before the next entry is applied. Where nobody asks, it waits,
    /// and so it does when there were more in a minute of admission than are let through.
    std::optional<RematchRequest> rematch_request();
    /// Answers the request asked for last, which may lead to another one.
    void rematch(const RematchAnswer& answer);

    /// Where the findings in memory begin, of tenants that have any.
    std::map<TenantId, Timestamp> earliest_activity() const;
    /// For a lane that matched anew what was reported before: see Incidents::carry_over. `position`: of the last entry applied; `at`: the time of the carrying
    /// over, for what it changes. Right after `take_effects`; entries about incidents must have been left out. What differs from what is stored is among the
    /// next effects.
    void carry_over(TenantId tenant, const StoredIncidents& stored, Position position, Timestamp at);

    /// Forgets at once, of the tenant of the last entry, the names and entities that nothing refers to any more. Entries do so where there are many: this is for
    /// who cannot wait. Right after `apply`.
    void forget_unnamed();

    /// Changes since the last call.
    Effects take_effects();

    /// Attribute paths that any document of the tenant reads; the caller may leave out all others of a signal. Changes only with control entries.
    const std::set<std::string>& attribute_paths(TenantId tenant) const;

    /// Chains of the tenant that are part-way; empty when the lane knows nothing of the tenant. Bounded (PartialSearch): some ten milliseconds at most.
    std::optional<PartialChains> partials(TenantId tenant, const PartialWanted& wanted) const;
    /// What the tenant's patterns have been doing; empty when the lane knows nothing of the tenant.
    std::optional<TenantHealth> health(TenantId tenant) const;

    /// Canonical digest (hex) of findings, evidence and the partition into incidents of a tenant: equal for equal sets of entries once the watermark
    /// has passed (G4). Numbers, revisions and times of admission are not part of it.
    std::string digest(TenantId tenant) const;

    /// All state, as bytes that depend on the entries applied alone: equal states are equal bytes. Right after `take_effects` only. Good for this version of
    /// the program and this catalogue.
    std::string save() const;
    /// What `save` says of this version of the program: only a lane saved by the same one can be loaded.
    static std::string_view version();
    /// SHA-1 (hex) over `save()`.
    std::string state_hash() const;
    /// The lane that was saved; with the entries after it, it is in every respect the lane that saw them all. `posted`: at least the patterns that
    /// tenants brought in themselves until then, in any order.
    static SnapshotResult<Lane> load(Catalogue shipped, const Catalogue& posted, std::string_view bytes);
    /// Every tenant's counters as they stand.
    std::vector<TenantStatus> statuses() const;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace catenary::engine
