#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace catenary::tests {

// Ports that answer from members, and remember what they were asked. A `failure` set is every answer.

/// Items in the order they are in, in pages: the position after an item is its index.
template <class T>
api::ports::Page<T> cut_page(const std::vector<T>& items, const api::ports::PageRequest& request) {
    const auto from = request.after.empty() ? std::size_t{0} : static_cast<std::size_t>(std::stoul(request.after));
    const auto to = std::min(items.size(), from + request.limit);
    api::ports::Page<T> page;
    page.items.assign(items.begin() + static_cast<std::ptrdiff_t>(from), items.begin() + static_cast<std::ptrdiff_t>(to));
    if (to < items.size()) page.next = std::to_string(to);
    return page;
}

struct FakeSignals final : api::ports::SignalReader {
    std::vector<api::ports::StoredSignalRow> rows;  ///< newest first; of the filter only entities are applied
    std::optional<api::ports::Failure> failure;
    api::ports::SignalFilter asked;
    api::ports::Outcome<api::ports::Page<api::ports::StoredSignalRow>> page(const api::Caller&, const api::ports::SignalFilter& filter,
                                                                            const api::ports::PageRequest& request) override {
        asked = filter;
        if (failure) return *failure;
        std::vector<api::ports::StoredSignalRow> mentioning;
        for (const auto& row : rows) {
            if (filter.entities.empty() || mentions_any(row.signal, filter.entities)) mentioning.push_back(row);
        }
        if (!filter.newest_first) std::reverse(mentioning.begin(), mentioning.end());
        return cut_page(mentioning, request);
    }
    api::ports::Outcome<api::ports::SignalDetail> find(const api::Caller&, const std::string& source, const std::string& id,
                                                       std::optional<engine::Timestamp> time) override;

    std::vector<api::ports::EvidenceUse> uses;  ///< of every signal that is found
    std::optional<engine::Timestamp> time_asked;
    static bool mentions_any(const engine::Signal& signal, const std::vector<engine::EntityKey>& entities);
};

struct FakeEntities final : api::ports::EntityStore {
    std::vector<api::ports::EntityRow> rows;
    api::ports::EntityFilter asked;
    api::ports::Outcome<api::ports::Page<api::ports::EntityRow>> page(const api::Caller&, const api::ports::EntityFilter& filter,
                                                                      const api::ports::PageRequest& request) override {
        asked = filter;
        return cut_page(rows, request);
    }
    api::ports::Outcome<api::ports::EntityRow> find(const api::Caller&, const engine::EntityKey& key) override;
    int stale_answers = 0;  ///< so many changes are overtaken first
    api::ports::Outcome<api::ports::EntityRow> change(const api::Caller& caller, const api::ports::EntityRow& wanted,
                                                      std::optional<std::int64_t> revision) override;
};

struct FakeIncidents final : api::ports::IncidentReader {
    std::map<std::int64_t, engine::IncidentRecord> records;
    std::vector<api::ports::EvidenceRow> rows;
    std::vector<engine::IncidentActivity> lines;
    std::vector<engine::FindingRecord> found;
    std::vector<api::tickets::TicketRow> tickets;  ///< of any incident looked at by itself
    std::optional<api::ports::Failure> failure;
    api::ports::IncidentFilter asked;
    std::vector<std::int64_t> numbers;  ///< asked for by evidence, activity and findings

    api::ports::Outcome<api::ports::Page<engine::IncidentRecord>> page(const api::Caller&, const api::ports::IncidentFilter& filter,
                                                                       const api::ports::PageRequest& request) override;
    api::ports::Outcome<engine::IncidentRecord> find(const api::Caller&, engine::IncidentNumber number) override;
    api::ports::Outcome<api::ports::IncidentDetail> detail(const api::Caller&, engine::IncidentNumber number, std::size_t most_comments) override;
    api::ports::Outcome<engine::IncidentRecord> story(const api::Caller&, engine::IncidentNumber number) override;
    api::ports::Outcome<api::ports::IncidentEvidence> evidence(const api::Caller&, engine::IncidentNumber number,
                                                               const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::Page<engine::IncidentActivity>> activity(const api::Caller&, engine::IncidentNumber number,
                                                                             const std::vector<std::string>& kinds,
                                                                             const api::ports::PageRequest& request) override;
    api::ports::Outcome<std::vector<engine::IncidentRecord>> alike(const api::Caller&, const engine::IncidentRecord& incident, std::size_t most) override;
    api::ports::Outcome<std::vector<engine::FindingRecord>> findings(const api::Caller&, engine::IncidentNumber number) override;
};

struct FakeFindings final : api::ports::FindingReader {
    std::vector<api::ports::FindingWithEvidence> rows;
    std::optional<api::ports::Failure> failure;
    api::ports::FindingFilter asked;
    api::ports::Outcome<api::ports::Page<api::ports::FindingWithEvidence>> page(const api::Caller&, const api::ports::FindingFilter& filter,
                                                                                const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::FindingWithEvidence> find(const api::Caller&, const engine::FindingId& id) override;
};

struct FakeChains final : api::ports::ChainReader {
    std::optional<api::ports::Failure> failure;
    engine::PartialChains part_way;
    engine::PartialWanted wanted;  ///< last asked for
    api::ports::Outcome<engine::PartialChains> partials(const api::Caller&, const engine::PartialWanted& asked_for) override {
        wanted = asked_for;
        if (failure) return *failure;
        return part_way;
    }
    std::vector<api::ports::NearMissRow> rows;
    api::ports::NearMissFilter asked;
    api::ports::Outcome<api::ports::Page<api::ports::NearMissRow>> near_misses(const api::Caller&, const api::ports::NearMissFilter& filter,
                                                                               const api::ports::PageRequest& request) override {
        asked = filter;
        if (failure) return *failure;
        return cut_page(rows, request);
    }
    engine::TenantHealth tenant;
    api::ports::Outcome<engine::TenantHealth> health(const api::Caller&) override {
        if (failure) return *failure;
        return tenant;
    }
};

struct FakePatterns final : api::ports::PatternStore {
    using PatternVersion = api::ports::PatternVersion;
    std::map<std::string, PatternVersion> stored;     ///< as they are now; of what ships the deployments
    std::vector<PatternVersion> former;               ///< every version of the tenant's own
    std::optional<engine::Timestamp> effective_from;  ///< of the last change
    std::optional<std::int64_t> asked_revision;       ///< that the last change was made for
    std::optional<api::ports::Failure> failure;
    api::ports::Outcome<std::vector<PatternVersion>> list(const api::Caller&) override;
    api::ports::Outcome<PatternVersion> find(const api::Caller&, const std::string& id) override;
    api::ports::Outcome<api::ports::Page<PatternVersion>> versions(const api::Caller&, const std::string& id, const api::ports::PageRequest& request) override;
    api::ports::Outcome<PatternVersion> version(const api::Caller&, const std::string& id, std::int32_t version) override;
    api::ports::Outcome<PatternVersion> add(const api::Caller&, const PatternVersion& wanted, std::optional<engine::Timestamp> from) override;
    api::ports::Outcome<PatternVersion> replace(const api::Caller&, const PatternVersion& wanted, const api::ports::PatternCondition& condition) override;
    api::ports::Outcome<PatternVersion> deploy(const api::Caller&, const PatternVersion& wanted, const api::ports::PatternCondition& condition) override;
    api::ports::Outcome<PatternVersion> end_trial(const api::Caller&, const std::string& id, const api::ports::PatternCondition& condition) override;
    api::ports::Outcome<PatternVersion> retire(const api::Caller&, const std::string& id, const api::ports::PatternCondition& condition) override;

private:
    api::ports::Outcome<PatternVersion> put(PatternVersion version);
};

/// Applies edits to `incidents` at once, as the lane would.
struct FakeControl final : api::ports::ControlLog {
    explicit FakeControl(FakeIncidents& of) : incidents{of} {}
    FakeIncidents& incidents;
    std::vector<engine::WatermarkCall> watermarks;
    std::vector<engine::IncidentEdit> edits;
    std::optional<std::int64_t> revision;  ///< that the last edit was made for
    std::optional<api::ports::Failure> failure;
    api::ports::Outcome<engine::Position> watermark(const api::Caller&, const engine::WatermarkCall& call) override;
    api::ports::Outcome<engine::IncidentRecord> edit(const api::Caller&, const engine::IncidentEdit& edit, std::optional<std::int64_t> made_for) override;
    std::vector<engine::IncidentMerge> merges;
    std::vector<engine::IncidentSplit> splits;
    std::vector<engine::IncidentComment> comments;
    api::ports::Outcome<engine::IncidentRecord> merge(const api::Caller&, const engine::IncidentMerge& merge) override;
    /// Makes incident 99.
    api::ports::Outcome<engine::IncidentRecord> split(const api::Caller&, const engine::IncidentSplit& split) override;
    api::ports::Outcome<engine::IncidentActivity> comment(const api::Caller&, const engine::IncidentComment& comment) override;
};

struct FakeSettings final : api::ports::SettingStore {
    api::ports::StoredSettings stored;
    int stale_answers = 0;  ///< so many changes are overtaken first
    api::ports::Outcome<api::ports::StoredSettings> read(const api::Caller&) override { return stored; }
    api::ports::Outcome<api::ports::StoredSettings> change(const api::Caller& caller, const api::ports::TenantSettings& wanted, std::int64_t revision) override;
};

struct FakeDiagnostics final : api::ports::Diagnostics {
    api::ports::DiagnosticsReport answer;
    std::optional<std::string> missing;
    api::ports::Outcome<api::ports::DiagnosticsReport> report(const api::Caller&) override { return answer; }
    std::optional<std::string> not_ready() override { return missing; }
};

struct FakeTenants final : api::ports::TenantDirectory {
    std::vector<api::ports::TenantRow> tenants;
    std::vector<api::ports::KeyRow> rows;
    api::ports::Outcome<api::ports::NewTenant> add(const api::Caller&, const std::string& name) override;
    api::ports::Outcome<api::ports::Page<api::ports::TenantRow>> page(const api::Caller&, const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::Page<api::ports::KeyRow>> keys(const api::Caller&, const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::NewKey> add_key(const api::Caller&, const api::ports::KeyRow& wanted) override;
    api::ports::Outcome<bool> remove_key(const api::Caller&, const std::string& id) override;
    api::ports::Outcome<api::ports::RotatedKey> rotate_key(const api::Caller&, const std::string& id, const api::ports::KeyRotation& wanted) override;
    api::ports::Outcome<api::ports::Page<api::ports::AuditRow>> audit(const api::Caller&, const api::ports::AuditFilter& filter,
                                                                      const api::ports::PageRequest& request) override;
    api::ports::KeyRotation rotation;  ///< last asked for
    std::vector<api::ports::AuditRow> changes;
    api::ports::AuditFilter asked;
};

struct FakeDesk final : api::ports::TicketDesk {
    using ConnectorRow = api::tickets::ConnectorRow;
    using TicketRow = api::tickets::TicketRow;
    using DeliveryRow = api::tickets::DeliveryRow;
    std::map<std::string, ConnectorRow> stored;
    std::map<std::string, std::string> secrets;  ///< as given last
    std::vector<TicketRow> rows;                 ///< newest first
    std::vector<DeliveryRow> lines;
    std::size_t asked_again = 0;  ///< tickets that were to be tried at once
    api::tickets::TicketFilter asked;
    api::tickets::ConnectorTest answer{true, "signed in"};
    api::ports::Outcome<api::ports::Page<ConnectorRow>> connectors(const api::Caller&, const api::ports::PageRequest& request) override;
    api::ports::Outcome<ConnectorRow> connector(const api::Caller&, const std::string& name) override;
    api::ports::Outcome<ConnectorRow> put_connector(const api::Caller& caller, const ConnectorRow& wanted, const std::optional<std::string>& secrets_json,
                                                    std::optional<std::int64_t> revision) override;
    api::ports::Outcome<bool> remove_connector(const api::Caller&, const std::string& name, std::optional<std::int64_t> revision) override;
    api::ports::Outcome<api::tickets::ConnectorTest> test_connector(const api::Caller&, const std::string& name) override;
    api::ports::Outcome<api::ports::Page<TicketRow>> tickets(const api::Caller&, const api::tickets::TicketFilter& filter,
                                                             const api::ports::PageRequest& request) override;
    api::ports::Outcome<std::map<std::int64_t, std::vector<TicketRow>>> tickets_of(const api::Caller&,
                                                                                   const std::vector<engine::IncidentNumber>& incidents) override;
    api::ports::Outcome<std::vector<api::tickets::Kin>> kin(const api::Caller&, const std::string&, engine::IncidentNumber) override { return kindred; }
    api::ports::Outcome<TicketRow> open_ticket(const api::Caller&, engine::IncidentNumber incident, const std::string& connector) override;
    api::ports::Outcome<TicketRow> sync_ticket(const api::Caller&, std::int64_t id) override;
    api::ports::Outcome<api::ports::Page<DeliveryRow>> deliveries(const api::Caller&, const api::tickets::DeliveryFilter& filter,
                                                                  const api::ports::PageRequest& request) override;
    api::ports::Outcome<TicketRow> retry_delivery(const api::Caller&, std::int64_t id) override;
    std::vector<api::tickets::Kin> kindred;           ///< of any incident
    std::vector<api::tickets::HookMessage> hooks;     ///< what came to the hook "open"
    std::optional<api::ports::Failure> hook_failure;  ///< what it is answered
    api::ports::Outcome<bool> take_hook(const std::string& id, const api::tickets::HookMessage& message) override;
};

/// Queues what is asked for and runs nothing.
struct FakeJobs final : api::ports::JobStore {
    using Job = api::ports::Job;
    std::vector<Job> rows;  ///< oldest first
    std::vector<api::ports::BacktestRequest> asked;
    std::optional<api::ports::Failure> failure;
    api::ports::Outcome<Job> add(const api::Caller& caller, const api::ports::BacktestRequest& wanted) override;
    api::ports::Outcome<Job> find(const api::Caller&, const std::string& id) override;
    api::ports::Outcome<api::ports::Page<Job>> page(const api::Caller&, const api::ports::PageRequest& request) override;
    api::ports::Outcome<Job> cancel(const api::Caller&, const std::string& id) override;
};

struct Reply {
    int status = 0;  ///< 0: none, the connection is closed
    nlohmann::json body;
    std::map<std::string, std::string> headers;
    std::string text = {};  ///< the body as sent
    /// Pointers of a problem's `errors`, in order.
    std::vector<std::string> pointers() const;
};

/// The routes over fakes. Every reply is held to the contract: a status, media type or member that openapi.yaml does not give fails the test.
class FakeApi {
public:
    FakeApi();
    Reply get(std::string_view target, std::string_view if_none_match = "") { return send(api::http::Method::get, target, "", "", if_none_match); }
    Reply post(std::string_view target, const nlohmann::json& body) { return send(api::http::Method::post, target, body.dump(), "application/json"); }
    Reply post(std::string_view target, std::string_view body, std::string_view type) { return send(api::http::Method::post, target, body, type); }
    Reply patch(std::string_view target, const nlohmann::json& body, std::string_view if_match = "") {
        return send(api::http::Method::patch, target, body.dump(), "application/json", "", if_match);
    }
    Reply put(std::string_view target, const nlohmann::json& body, std::string_view if_match = "") {
        return send(api::http::Method::put, target, body.dump(), "application/json", "", if_match);
    }
    Reply get_yaml(std::string_view target) { return send(api::http::Method::get, target, "", "", "", "", "application/yaml"); }
    Reply remove(std::string_view target, std::string_view if_match = "") { return send(api::http::Method::delete_, target, "", "", "", if_match); }
    Reply send(api::http::Method method, std::string_view target, std::string_view body, std::string_view type, std::string_view if_none_match = "",
               std::string_view if_match = "", std::string_view accept = "");

    FakeSignals signals;
    FakeEntities entities;
    FakeIncidents incidents;
    FakeFindings findings;
    FakeChains chains;
    FakePatterns patterns;
    FakeControl control{incidents};
    FakeSettings settings;
    FakeDiagnostics diagnostics;
    FakeTenants tenants;
    FakeDesk desk;
    FakeJobs jobs;
    api::Caller caller;

private:
    api::ports::Services services_{signals, entities, incidents, findings, patterns, control, settings, diagnostics, tenants, chains, desk, jobs, {1, 2, 3}};
};

/// "get", "post" … as the contract names methods.
std::string_view method_word(api::http::Method method);

// A story of two signals and what it leads to, complete in every member.
engine::Timestamp at(std::string_view rfc3339);
api::ports::StoredSignalRow stored_sign_in();
engine::FindingRecord finding_of_two();
engine::IncidentRecord incident_of_two(std::int64_t number);
/// A body of PUT /connectors/{name}, and the ticket that such a connector made of an incident.
nlohmann::json redmine_document();
api::tickets::TicketRow ticket_of(std::int64_t incident);

}  // namespace catenary::tests
