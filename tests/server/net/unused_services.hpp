#pragma once

#include "api/ports/ports.hpp"

#include <stdexcept>

namespace catenary::tests {

/// Ports for handlers that never ask them anything: whoever does fails the test.
class UnusedServices {
public:
    api::ports::Services services() {
        return {signals_, entities_, incidents_, findings_, patterns_, control_, settings_, diagnostics_, tenants_, chains_, desk_, jobs_};
    }

private:
    template <class T>
    using Outcome = api::ports::Outcome<T>;
    template <class T>
    using Page = api::ports::Page<T>;
    using Caller = api::Caller;
    using PageRequest = api::ports::PageRequest;
    [[noreturn]] static void refuse() { throw std::logic_error{"this port is not to be used"}; }

    struct Signals final : api::ports::SignalReader {
        Outcome<Page<api::ports::StoredSignalRow>> page(const Caller&, const api::ports::SignalFilter&, const PageRequest&) override { refuse(); }
        Outcome<api::ports::SignalDetail> find(const Caller&, const std::string&, const std::string&, std::optional<engine::Timestamp>) override { refuse(); }
    };
    struct Entities final : api::ports::EntityStore {
        Outcome<Page<api::ports::EntityRow>> page(const Caller&, const api::ports::EntityFilter&, const PageRequest&) override { refuse(); }
        Outcome<api::ports::EntityRow> find(const Caller&, const engine::EntityKey&) override { refuse(); }
        Outcome<api::ports::EntityRow> change(const Caller&, const api::ports::EntityRow&, std::optional<std::int64_t>) override { refuse(); }
    };
    struct Incidents final : api::ports::IncidentReader {
        Outcome<Page<engine::IncidentRecord>> page(const Caller&, const api::ports::IncidentFilter&, const PageRequest&) override { refuse(); }
        Outcome<engine::IncidentRecord> find(const Caller&, engine::IncidentNumber) override { refuse(); }
        Outcome<api::ports::IncidentDetail> detail(const Caller&, engine::IncidentNumber, std::size_t) override { refuse(); }
        Outcome<engine::IncidentRecord> story(const Caller&, engine::IncidentNumber) override { refuse(); }
        Outcome<api::ports::IncidentEvidence> evidence(const Caller&, engine::IncidentNumber, const PageRequest&) override { refuse(); }
        Outcome<Page<engine::IncidentActivity>> activity(const Caller&, engine::IncidentNumber, const std::vector<std::string>&, const PageRequest&) override {
            refuse();
        }
        Outcome<std::vector<engine::IncidentRecord>> alike(const Caller&, const engine::IncidentRecord&, std::size_t) override { refuse(); }
        Outcome<std::vector<engine::FindingRecord>> findings(const Caller&, engine::IncidentNumber) override { refuse(); }
    };
    struct Findings final : api::ports::FindingReader {
        Outcome<Page<api::ports::FindingWithEvidence>> page(const Caller&, const api::ports::FindingFilter&, const PageRequest&) override { refuse(); }
        Outcome<api::ports::FindingWithEvidence> find(const Caller&, const engine::FindingId&) override { refuse(); }
    };
    struct Chains final : api::ports::ChainReader {
        Outcome<engine::PartialChains> partials(const Caller&, const engine::PartialWanted&) override { refuse(); }
        Outcome<Page<api::ports::NearMissRow>> near_misses(const Caller&, const api::ports::NearMissFilter&, const PageRequest&) override { refuse(); }
        Outcome<engine::TenantHealth> health(const Caller&) override { refuse(); }
    };
    struct Patterns final : api::ports::PatternStore {
        Outcome<std::vector<api::ports::PatternVersion>> list(const Caller&) override { refuse(); }
        Outcome<api::ports::PatternVersion> find(const Caller&, const std::string&) override { refuse(); }
        using Version = api::ports::PatternVersion;
        Outcome<Page<Version>> versions(const Caller&, const std::string&, const PageRequest&) override { refuse(); }
        Outcome<Version> version(const Caller&, const std::string&, std::int32_t) override { refuse(); }
        Outcome<Version> add(const Caller&, const Version&, std::optional<engine::Timestamp>) override { refuse(); }
        Outcome<Version> replace(const Caller&, const Version&, const api::ports::PatternCondition&) override { refuse(); }
        Outcome<Version> deploy(const Caller&, const Version&, const api::ports::PatternCondition&) override { refuse(); }
        Outcome<Version> end_trial(const Caller&, const std::string&, const api::ports::PatternCondition&) override { refuse(); }
        Outcome<Version> retire(const Caller&, const std::string&, const api::ports::PatternCondition&) override { refuse(); }
    };
    struct Control final : api::ports::ControlLog {
        Outcome<engine::Position> watermark(const Caller&, const engine::WatermarkCall&) override { refuse(); }
        Outcome<engine::IncidentRecord> edit(const Caller&, const engine::IncidentEdit&, std::optional<std::int64_t>) override { refuse(); }
        Outcome<engine::IncidentRecord> merge(const Caller&, const engine::IncidentMerge&) override { refuse(); }
        Outcome<engine::IncidentRecord> split(const Caller&, const engine::IncidentSplit&) override { refuse(); }
        Outcome<engine::IncidentActivity> comment(const Caller&, const engine::IncidentComment&) override { refuse(); }
    };
    struct Settings final : api::ports::SettingStore {
        Outcome<api::ports::StoredSettings> read(const Caller&) override { refuse(); }
        Outcome<api::ports::StoredSettings> change(const Caller&, const api::ports::TenantSettings&, std::int64_t) override { refuse(); }
    };
    struct Diagnostics final : api::ports::Diagnostics {
        Outcome<api::ports::DiagnosticsReport> report(const Caller&) override { refuse(); }
        std::optional<std::string> not_ready() override { refuse(); }
    };
    struct Tenants final : api::ports::TenantDirectory {
        Outcome<api::ports::NewTenant> add(const Caller&, const std::string&) override { refuse(); }
        Outcome<Page<api::ports::TenantRow>> page(const Caller&, const PageRequest&) override { refuse(); }
        Outcome<Page<api::ports::KeyRow>> keys(const Caller&, const PageRequest&) override { refuse(); }
        Outcome<api::ports::NewKey> add_key(const Caller&, const api::ports::KeyRow&) override { refuse(); }
        Outcome<bool> remove_key(const Caller&, const std::string&) override { refuse(); }
        Outcome<api::ports::RotatedKey> rotate_key(const Caller&, const std::string&, const api::ports::KeyRotation&) override { refuse(); }
        Outcome<Page<api::ports::AuditRow>> audit(const Caller&, const api::ports::AuditFilter&, const PageRequest&) override { refuse(); }
    };
    struct Desk final : api::ports::TicketDesk {
        using ConnectorRow = api::tickets::ConnectorRow;
        using TicketRow = api::tickets::TicketRow;
        Outcome<Page<ConnectorRow>> connectors(const Caller&, const PageRequest&) override { refuse(); }
        Outcome<ConnectorRow> connector(const Caller&, const std::string&) override { refuse(); }
        Outcome<ConnectorRow> put_connector(const Caller&, const ConnectorRow&, const std::optional<std::string>&, std::optional<std::int64_t>) override {
            refuse();
        }
        Outcome<bool> remove_connector(const Caller&, const std::string&, std::optional<std::int64_t>) override { refuse(); }
        Outcome<api::tickets::ConnectorTest> test_connector(const Caller&, const std::string&) override { refuse(); }
        Outcome<Page<TicketRow>> tickets(const Caller&, const api::tickets::TicketFilter&, const PageRequest&) override { refuse(); }
        Outcome<std::map<std::int64_t, std::vector<TicketRow>>> tickets_of(const Caller&, const std::vector<engine::IncidentNumber>&) override { refuse(); }
        Outcome<TicketRow> open_ticket(const Caller&, engine::IncidentNumber, const std::string&) override { refuse(); }
        Outcome<TicketRow> sync_ticket(const Caller&, std::int64_t) override { refuse(); }
        Outcome<Page<api::tickets::DeliveryRow>> deliveries(const Caller&, const api::tickets::DeliveryFilter&, const PageRequest&) override { refuse(); }
        Outcome<TicketRow> retry_delivery(const Caller&, std::int64_t) override { refuse(); }
        Outcome<bool> take_hook(const std::string&, const api::tickets::HookMessage&) override { refuse(); }
    };
    struct Jobs final : api::ports::JobStore {
        using Job = api::ports::Job;
        Outcome<Job> add(const Caller&, const api::ports::BacktestRequest&) override { refuse(); }
        Outcome<Job> find(const Caller&, const std::string&) override { refuse(); }
        Outcome<Page<Job>> page(const Caller&, const PageRequest&) override { refuse(); }
        Outcome<Job> cancel(const Caller&, const std::string&) override { refuse(); }
    };
    Signals signals_;
    Entities entities_;
    Incidents incidents_;
    Findings findings_;
    Chains chains_;
    Patterns patterns_;
    Control control_;
    Settings settings_;
    Diagnostics diagnostics_;
    Tenants tenants_;
    Desk desk_;
    Jobs jobs_;
};

}  // namespace catenary::tests
