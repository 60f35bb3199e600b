#pragma once

// What handlers need of the world, in their words. Implemented by server/pg (and small fakes in tests). Each call blocks its worker thread, is one
// transaction, sees the caller's tenant only.

#include "api/entities/criticality.hpp"
#include "api/http/cursor.hpp"
#include "api/ports/caller.hpp"
#include "api/ports/jobs.hpp"
#include "api/ports/outcome.hpp"
#include "api/tickets/hook.hpp"
#include "api/tickets/records.hpp"
#include "engine/incidents/records.hpp"
#include "engine/lane/control.hpp"
#include "engine/lane/near_misses.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/signal.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace catenary::api::ports {

using TimeRange = std::pair<std::optional<engine::Timestamp>, std::optional<engine::Timestamp>>;  ///< [from, to), either open

struct StoredSignalRow {
    engine::Signal signal;  ///< canonical entities; attributes left empty, see attributes_json
    std::string title;
    std::string attributes_json;  ///< as posted (minified), "{}" when none
    std::string shown_json;       ///< {"<index of entity>": "original spelling"} where it differs; "" when nowhere
    std::string aliases_json;     ///< {"<index of entity>": [{"kind", "value"}]} as posted; "" when there are none
    engine::Timestamp received;
    bool late = false;
    bool behind_horizon = false;  ///< came when the engine had forgotten its time, and has not been matched again yet
};
/// Alternatives within one member mean OR, members AND.
struct SignalFilter {
    std::vector<std::string> sources, names, domains, tactics, techniques;
    std::vector<engine::Severity> severities;
    std::vector<engine::EntityKey> entities;  ///< canonical
    TimeRange time;
    bool newest_first = true;
};
/// A finding that has a signal as evidence.
struct EvidenceUse {
    engine::FindingId finding;
    std::string pattern;
    std::string stage;
    std::optional<engine::IncidentNumber> incident;
};
struct SignalDetail {
    StoredSignalRow row;
    std::vector<EvidenceUse> uses;  ///< of findings that are not superseded, by (start, id); at most 100
};
class SignalReader {
public:
    virtual ~SignalReader() = default;
    /// By (time, key), the key being a fixed pseudo-random order of (source, id) within a millisecond. A page may be short, even empty, with `next` set: then
    /// little was found in the time a page may take, and the search goes on with the next one.
    virtual Outcome<Page<StoredSignalRow>> page(const Caller& caller, const SignalFilter& filter, const PageRequest& request) = 0;
    /// `time`: that of the signal to the microsecond, where the caller knows it; saves a search.
    virtual Outcome<SignalDetail> find(const Caller& caller, const std::string& source, const std::string& id, std::optional<engine::Timestamp> time) = 0;
};

/// What administrators hold of an entity.
struct EntityNotes {
    std::vector<std::string> tags = {};  ///< sorted, each once
    std::optional<entities::Criticality> criticality = {};
    std::string facts_json = "{}";  ///< an object
    engine::LinkRule link = engine::LinkRule::usual;
};
/// An entity that some signal of the tenant has mentioned, or that administrators hold something of.
struct EntityRow {
    engine::EntityKey key;
    bool identifies = true;
    EntityNotes notes = {};
    std::int64_t revision = 0;  ///< of the notes; 0: there never were any
    std::optional<engine::Timestamp> changed = {};
    std::string changed_by = {};  ///< id of a key; "" when never changed
};
/// Alternatives within one member mean OR, members AND.
struct EntityFilter {
    std::vector<std::string> kinds;  ///< any of
    std::string prefix;              ///< of the canonical value; "" = any
    std::vector<std::string> tags = {};
    std::vector<entities::Criticality> criticalities = {};
};
class EntityStore {
public:
    virtual ~EntityStore() = default;
    /// By (kind, value), bytewise.
    virtual Outcome<Page<EntityRow>> page(const Caller& caller, const EntityFilter& filter, const PageRequest& request) = 0;
    virtual Outcome<EntityRow> find(const Caller& caller, const engine::EntityKey& key) = 0;
    /// Stores the notes of `wanted` and their control entry in one transaction; of its other members key and `identifies` count. With a revision: stale
    /// unless the notes are at this one. invalid when the tenant has notes on too many entities.
    virtual Outcome<EntityRow> change(const Caller& caller, const EntityRow& wanted, std::optional<std::int64_t> revision) = 0;
};

struct IncidentFilter {
    std::vector<engine::IncidentStatus> statuses;
    std::vector<engine::Severity> severities;
    std::vector<engine::Classification> classifications;
    std::vector<std::string> owners, labels, patterns, domains, tactics, techniques;
    std::vector<engine::EntityKey> entities;  ///< canonical
    std::optional<double> score_min;
    TimeRange first_activity, last_activity, created, updated;
    std::string q;  ///< case-insensitive part of the title; "" = any
    bool include_redirected = false;
    enum class Column { score, severity, created, updated, first_activity, last_activity, signal_count, number };
    struct Key {
        Column column = Column::created;
        bool descending = true;
        bool operator==(const Key&) const = default;
    };
    std::vector<Key> sort{Key{}};  ///< 1 to 3 different columns; further ties by number, newest first
};
struct EvidenceRow {
    StoredSignalRow signal;
    engine::FindingId finding;  ///< the earliest finding it serves
    std::string stage;
};
/// An incident as one instant showed it.
struct IncidentDetail {
    engine::IncidentRecord record;
    std::vector<engine::FindingRecord> findings;     ///< not superseded, by (start, id)
    std::vector<engine::IncidentActivity> comments;  ///< the first ones, oldest first
    std::vector<tickets::TicketRow> tickets;         ///< by connector, at most tickets::most_links
};

/// Evidence of an incident, with what explains it.
struct IncidentEvidence {
    engine::IncidentRecord record;
    std::vector<engine::FindingRecord> findings;  ///< not superseded, by (start, id)
    Page<EvidenceRow> page;                       ///< one item a signal in (time, source, id) order, complete
};

class IncidentReader {
public:
    virtual ~IncidentReader() = default;
    virtual Outcome<Page<engine::IncidentRecord>> page(const Caller& caller, const IncidentFilter& filter, const PageRequest& request) = 0;
    virtual Outcome<engine::IncidentRecord> find(const Caller& caller, engine::IncidentNumber number) = 0;
    virtual Outcome<IncidentDetail> detail(const Caller& caller, engine::IncidentNumber number, std::size_t most_comments) = 0;
    /// The incident, or the one that it was merged into: what was merged is told there.
    virtual Outcome<engine::IncidentRecord> story(const Caller& caller, engine::IncidentNumber number) = 0;
    /// Of its story.
    virtual Outcome<IncidentEvidence> evidence(const Caller& caller, engine::IncidentNumber number, const PageRequest& request) = 0;
    /// `kinds`: only lines of these (`what`), empty: all.
    virtual Outcome<Page<engine::IncidentActivity>> activity(const Caller& caller, engine::IncidentNumber number, const std::vector<std::string>& kinds,
                                                             const PageRequest& request) = 0;
    /// Not superseded findings of an incident, by (start, id).
    virtual Outcome<std::vector<engine::FindingRecord>> findings(const Caller& caller, engine::IncidentNumber number) = 0;
    /// Other incidents that share an entity, a pattern or a technique with this one and do not redirect: of those that share an entity and of the
    /// others the `most` with the latest activity each.
    virtual Outcome<std::vector<engine::IncidentRecord>> alike(const Caller& caller, const engine::IncidentRecord& incident, std::size_t most) = 0;
};

struct FindingFilter {
    std::vector<std::string> patterns;
    std::vector<engine::EntityKey> entities;
    std::optional<engine::IncidentNumber> incident;
    std::vector<engine::FindingState> states{engine::FindingState::open, engine::FindingState::waiting};
    bool flighting = false;  ///< only flighting ones instead of only production
};
struct FindingWithEvidence {
    engine::FindingRecord record;
    std::vector<std::pair<engine::SignalRef, std::string>> evidence;  ///< (signal, stage), as many as come with one finding, by (time, source, id)
};
class FindingReader {
public:
    virtual ~FindingReader() = default;
    virtual Outcome<Page<FindingWithEvidence>> page(const Caller& caller, const FindingFilter& filter, const PageRequest& request) = 0;
    virtual Outcome<FindingWithEvidence> find(const Caller& caller, const engine::FindingId& id) = 0;
};

/// Alternatives within one member mean OR, members AND.
struct NearMissFilter {
    std::vector<std::string> patterns, missing;
    std::vector<engine::EntityKey> entities;  ///< canonical
    TimeRange until;                          ///< when the chain was over
    bool flighting = false;                   ///< only flighting ones instead of only production
};
struct NearMissRow {
    std::string id;
    engine::NearMissRecord record;
};
/// Chains of stages that are not whole, and what patterns have been doing.
class ChainReader {
public:
    virtual ~ChainReader() = default;
    /// As the engine of this process sees them now, also when it only follows the leader's. unavailable when it cannot be asked.
    virtual Outcome<engine::PartialChains> partials(const Caller& caller, const engine::PartialWanted& wanted) = 0;
    /// The last to be over first; none that was over more than 30 days of event time ago.
    virtual Outcome<Page<NearMissRow>> near_misses(const Caller& caller, const NearMissFilter& filter, const PageRequest& request) = 0;
    /// Of everything that runs for the tenant; empty when the engine has seen nothing of it. Asked as `partials` is.
    virtual Outcome<engine::TenantHealth> health(const Caller& caller) = 0;
};

/// A version of a pattern. What ships has version 1; of it a tenant stores its deployment only. At most two versions of a pattern run: one in production, one
/// on trial beside it.
struct PatternVersion {
    std::string id;
    std::int32_t version = 1;
    engine::Mode mode = engine::Mode::production;  ///< as deployed now; of a former version: as it was posted
    std::string document_json;                     ///< normal form, without `mode`; "" for what ships (the handler has it)
    engine::Timestamp created;                     ///< of this version; meaningless for what ships
    std::string created_by;
    bool shipped = false;
    std::int64_t revision = 1;                 ///< of the pattern: grows with every version and every deployment
    std::optional<engine::Timestamp> changed;  ///< last change of the pattern; empty: ships, and never changed here
    std::string changed_by;
    std::optional<std::int32_t> production;  ///< which version is in production now, this or another; empty: none. Empty of a former version
    std::optional<std::int32_t> flighting;   ///< which one is on trial
};
/// What a change was made for, and from when it holds.
struct PatternCondition {
    std::optional<std::int64_t> revision;             ///< stale unless the pattern is at this one
    std::optional<engine::Timestamp> effective_from;  ///< empty: so early that no attempt in flight is lost (engine::PatternChange)
};
/// Every change is one transaction with its control entry. A change of what the tenant does not have answers not_found.
class PatternStore {
public:
    virtual ~PatternStore() = default;
    /// Newest version of each of the tenant's own, and the tenant's deployments of what ships, by id.
    virtual Outcome<std::vector<PatternVersion>> list(const Caller& caller) = 0;
    virtual Outcome<PatternVersion> find(const Caller& caller, const std::string& id) = 0;
    /// Versions of one of the tenant's own, newest first, without their documents. Also of one that was retired: its findings name them.
    virtual Outcome<Page<PatternVersion>> versions(const Caller& caller, const std::string& id, const PageRequest& request) = 0;
    virtual Outcome<PatternVersion> version(const Caller& caller, const std::string& id, std::int32_t version) = 0;
    /// Stores the first version (of an id that was retired: the next); conflict when the id exists, invalid beyond 512 patterns.
    virtual Outcome<PatternVersion> add(const Caller& caller, const PatternVersion& wanted, std::optional<engine::Timestamp> effective_from) = 0;
    /// Stores the next version with the document and mode of `wanted`; invalid beyond 1,000 versions.
    virtual Outcome<PatternVersion> replace(const Caller& caller, const PatternVersion& wanted, const PatternCondition& condition) = 0;
    /// Gives version `wanted.version` the mode of `wanted`: `production` ends every other, `flighting` ends another that is on trial, `off` ends all. Of what
    /// ships (`wanted.shipped`) also the first time. not_found when there is no such version.
    virtual Outcome<PatternVersion> deploy(const Caller& caller, const PatternVersion& wanted, const PatternCondition& condition) = 0;
    /// Ends the version that is on trial beside the one in production, which goes on; not_found when there are not both.
    virtual Outcome<PatternVersion> end_trial(const Caller& caller, const std::string& id, const PatternCondition& condition) = 0;
    /// Ends one of the tenant's own: it finds no more, its versions and findings stay, and its id may be posted again.
    virtual Outcome<PatternVersion> retire(const Caller& caller, const std::string& id, const PatternCondition& condition) = 0;
};

class ControlLog {
public:
    virtual ~ControlLog() = default;
    virtual Outcome<engine::Position> watermark(const Caller& caller, const engine::WatermarkCall& call) = 0;
    // Each of these appends an entry when its incident exists (and, if given, has that revision), then waits until the engine has applied it, at most
    // 10 s, else `recorded`. For a caller that repeats() nothing is appended: the entry of the first request is waited for.
    virtual Outcome<engine::IncidentRecord> edit(const Caller& caller, const engine::IncidentEdit& edit, std::optional<std::int64_t> revision) = 0;
    /// The incident as it is with the others in it; conflict, with the reason, when the engine refuses.
    virtual Outcome<engine::IncidentRecord> merge(const Caller& caller, const engine::IncidentMerge& merge) = 0;
    /// The new incident; conflict, with the reason, when the engine refuses.
    virtual Outcome<engine::IncidentRecord> split(const Caller& caller, const engine::IncidentSplit& split) = 0;
    /// The line of the history.
    virtual Outcome<engine::IncidentActivity> comment(const Caller& caller, const engine::IncidentComment& comment) = 0;
};

/// What a tenant may set for the engine.
struct TenantSettings {
    engine::Duration lateness{std::chrono::hours{1}};
    engine::Duration group_within{std::chrono::hours{24}};
    double base_rate = 0.01;
    int unlinkable_limit = 8;
    std::int64_t window_signals = 20'000'000;
    std::int64_t daily_incidents = 10'000;
    int incident_entities = 500;
    bool operator==(const TenantSettings&) const = default;
};
struct StoredSettings {
    TenantSettings values;
    std::int64_t revision = 0;  ///< 0: never changed
    std::optional<engine::Timestamp> changed;
    std::string changed_by;  ///< id of a key; "" when never changed
};
class SettingStore {
public:
    virtual ~SettingStore() = default;
    virtual Outcome<StoredSettings> read(const Caller& caller) = 0;
    /// Stores `wanted` and its control entry in one transaction when the settings have that revision, else stale.
    virtual Outcome<StoredSettings> change(const Caller& caller, const TenantSettings& wanted, std::int64_t revision) = 0;
};

struct SourceStatus {
    std::string source;
    std::string domain;
    std::int64_t signals = 0;  ///< accepted since this server started
    std::optional<engine::Timestamp> last_event;
    std::optional<engine::Timestamp> last_received;
};
struct DeniedEntity {
    engine::EntityKey key;
    engine::Timestamp changed;  ///< when administrators last changed what they hold of it
};
/// What came when the engine had forgotten its time is matched again with what is stored of it.
struct RematchReport {
    std::int64_t made = 0;
    std::int64_t read = 0;     ///< signals, for all of them
    std::int64_t waiting = 0;  ///< signals
    std::optional<engine::Timestamp> oldest_waiting;
};
struct DiagnosticsReport {
    std::int64_t lag_signals = 0;  ///< the tenant's entries behind the engine
    double lag_seconds = 0;        ///< age of the oldest of them
    std::optional<engine::Timestamp> watermark;
    bool held = false;
    std::optional<engine::Timestamp> newest_event;
    double lateness_seconds = 0;
    std::vector<SourceStatus> sources;  ///< last signal of each (source, domain), at most 1,000
    std::int64_t late = 0, unlinkable = 0, behind_horizon = 0, window_signals = 0, state_bytes = 0;
    std::optional<engine::Timestamp> oldest_behind_horizon;  ///< the earliest of `behind_horizon`
    RematchReport rematches;
    std::optional<engine::Timestamp> taken_from;             ///< signals of before are refused for their age
    std::optional<engine::Timestamp> kept_from;              ///< signals of before are gone
    std::vector<DeniedEntity> denied;                        ///< entities whose links are denied, last changed first, at most 100
    std::vector<std::pair<std::string, std::int64_t>> caps;  ///< caps that bit: name, times
    std::string leader;                                      ///< "leading" | "following" | "replaying 40 %"
};
class Diagnostics {
public:
    virtual ~Diagnostics() = default;
    virtual Outcome<DiagnosticsReport> report(const Caller& caller) = 0;
    /// Ready: can ingest, correlate and read. The text says what is not.
    virtual std::optional<std::string> not_ready() = 0;
};

struct NewTenant {
    std::string name;
    std::string key;  ///< shown once: every scope of that tenant
};
struct TenantRow {
    std::string name;
    engine::Timestamp created;
};
struct KeyRow {
    std::string id;
    std::uint16_t scopes = 0;
    std::vector<std::string> sources;
    engine::Timestamp created;
    std::optional<engine::Timestamp> expires;
    std::optional<engine::Timestamp> last_used;
};
struct NewKey {
    KeyRow row;
    std::string key;
};
/// What takes a key's place, and for how long the old one goes on beside it.
struct KeyRotation {
    engine::Duration overlap{};                ///< 0: the old one ends at once
    std::optional<engine::Timestamp> expires;  ///< of the new key; empty: it lives as long as the old one was made for
};
struct RotatedKey {
    NewKey made;  ///< scopes and sources of the old one
    std::string replaced;
    engine::Timestamp replaced_expires;
};
/// A change, as it was made: in its own transaction.
struct AuditRow {
    engine::Timestamp time;
    std::string actor;  ///< id of the key that did it, "server" for what it does by itself
    std::string action;
    std::string target;
    std::string detail_json;  ///< an object
};
/// Alternatives within one member mean OR, members AND.
struct AuditFilter {
    std::vector<std::string> actors, actions, targets;
    TimeRange time;
};
class TenantDirectory {
public:
    virtual ~TenantDirectory() = default;
    virtual Outcome<NewTenant> add(const Caller& caller, const std::string& name) = 0;  ///< conflict when the name exists
    virtual Outcome<Page<TenantRow>> page(const Caller& caller, const PageRequest& request) = 0;
    virtual Outcome<Page<KeyRow>> keys(const Caller& caller, const PageRequest& request) = 0;
    virtual Outcome<NewKey> add_key(const Caller& caller, const KeyRow& wanted) = 0;
    virtual Outcome<bool> remove_key(const Caller& caller, const std::string& id) = 0;  ///< not_found when unknown
    /// One transaction: the new key, and the end of the old one. not_found when unknown or expired.
    virtual Outcome<RotatedKey> rotate_key(const Caller& caller, const std::string& id, const KeyRotation& rotation) = 0;
    /// Newest first.
    virtual Outcome<Page<AuditRow>> audit(const Caller& caller, const AuditFilter& filter, const PageRequest& request) = 0;
};

/// Ticket systems, the tickets there, and what was said to them.
class TicketDesk {
public:
    virtual ~TicketDesk() = default;
    virtual Outcome<Page<tickets::ConnectorRow>> connectors(const Caller& caller, const PageRequest& request) = 0;  ///< by name
    virtual Outcome<tickets::ConnectorRow> connector(const Caller& caller, const std::string& name) = 0;
    /// Stores name and document of `wanted`, and its secrets where they are given (a JSON object of lists). With a revision: stale unless the connector
    /// is at this one, 0 being none. A change ends a pause. invalid beyond 32 connectors.
    virtual Outcome<tickets::ConnectorRow> put_connector(const Caller& caller, const tickets::ConnectorRow& wanted,
                                                         const std::optional<std::string>& secrets_json, std::optional<std::int64_t> revision) = 0;
    /// With what waits for it and the links to its tickets; the tickets themselves stay in their system.
    virtual Outcome<bool> remove_connector(const Caller& caller, const std::string& name, std::optional<std::int64_t> revision) = 0;
    /// Asks the ticket system, at most 15 s; when it answers as it should, a pause ends.
    virtual Outcome<tickets::ConnectorTest> test_connector(const Caller& caller, const std::string& name) = 0;
    virtual Outcome<Page<tickets::TicketRow>> tickets(const Caller& caller, const tickets::TicketFilter& filter,
                                                      const PageRequest& request) = 0;  ///< newest first
    /// Of each incident, by connector.
    virtual Outcome<std::map<std::int64_t, std::vector<tickets::TicketRow>>> tickets_of(const Caller& caller,
                                                                                        const std::vector<engine::IncidentNumber>& incidents) = 0;
    /// The incidents that this one was merged or split with, and their tickets of the connector.
    virtual Outcome<std::vector<tickets::Kin>> kin(const Caller& caller, const std::string& connector, engine::IncidentNumber incident) = 0;
    /// Gives the incident a ticket by hand, whatever the condition; what is there already is brought up to date.
    virtual Outcome<tickets::TicketRow> open_ticket(const Caller& caller, engine::IncidentNumber incident, const std::string& connector) = 0;
    /// Tries again at once, also one that failed or is gone.
    virtual Outcome<tickets::TicketRow> sync_ticket(const Caller& caller, std::int64_t id) = 0;
    virtual Outcome<Page<tickets::DeliveryRow>> deliveries(const Caller& caller, const tickets::DeliveryFilter& filter,
                                                           const PageRequest& request) = 0;  ///< newest first
    /// Takes what came to the hook `id` of some connector, once: false for a delivery that is known. not_found unless it is signed as that connector knows it;
    /// invalid when it is and cannot be read; unavailable while too many wait.
    virtual Outcome<bool> take_hook(const std::string& id, const tickets::HookMessage& message) = 0;
    /// Tries the delivery's ticket again at once; conflict when it has none.
    virtual Outcome<tickets::TicketRow> retry_delivery(const Caller& caller, std::int64_t id) = 0;
};

/// Everything, by reference: what handlers get. Outlives every request.
struct Services {
    SignalReader& signals;
    EntityStore& entities;
    IncidentReader& incidents;
    FindingReader& findings;
    PatternStore& patterns;
    ControlLog& control;
    SettingStore& settings;
    Diagnostics& diagnostics;
    TenantDirectory& tenants;
    ChainReader& chains;
    TicketDesk& desk;
    JobStore& jobs;
    http::CursorKey cursor_key{};  ///< seals the cursors of lists; the same for every process on one database
};

}  // namespace catenary::api::ports
