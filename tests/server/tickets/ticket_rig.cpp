#include "tests/server/tickets/ticket_rig.hpp"

#include "api/tickets/connector_document.hpp"
#include "server/pg/finding_store.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace catenary::tests {

using namespace std::chrono_literals;

TicketRig::TicketRig() {
    rig_.ingest().start();
    rig_.start_worker();
    REQUIRE(rig_.wait_for(server::LeaderStatus::State::leading));
    ticketing_ = process();
    ticketing_->dispatcher().start();
    desk_ = std::make_unique<server::pg::PgTicketDesk>(
        database_.api(), ticketing_->box(),
        [this](engine::TenantId tenant, const server::pg::ServedConnector& served, std::vector<server::tickets::Exchanged>& exchanged) {
            return ticketing_->test(tenant, served, exchanged);
        },
        [this](engine::TenantId tenant, const server::pg::ServedConnector& served, const api::tickets::HookMessage& message) {
            return ticketing_->read_hook(tenant, served, message);
        },
        [this] { ticketing_->dispatcher().nudge(); });
}

std::unique_ptr<server::tickets::Ticketing> TicketRig::process() {
    const server::tickets::TicketingOptions options{.lane_dsn = database_.dsn(server::pg::Role::lane).text(),
                                                    .api_dsn = database_.dsn(server::pg::Role::api).text(),
                                                    .key_file = folder_.path() / "connectors.key",
                                                    .networks = {*engine::IpNetwork::parse("127.0.0.0/8")},
                                                    .ca_file = "",
                                                    .process = "test",
                                                    .secret = {1, 2, 3}};
    return std::make_unique<server::tickets::Ticketing>(options, rig_.progress(), [this] { rig_.worker().nudge(); });
}

void TicketRig::restart_ticketing() {
    ticketing_->dispatcher().stop();
    auto next = process();
    next->dispatcher().start();
    desk_.reset();  // refers to the old one's key
    ticketing_ = std::move(next);
}

api::tickets::ConnectorRow TicketRig::put(const std::string& name, nlohmann::json body) {
    engine::Faults faults;
    const auto read = api::tickets::connector_from_json(api::documents::Place{faults}, body);
    for (const auto& fault : faults) FAIL(fmt::format("{}: {}", fault.pointer, fault.detail));
    api::tickets::ConnectorRow row;
    row.name = name;
    row.document_json = read.connector.document.dump();
    std::optional<std::string> secrets;
    if (read.secrets) secrets = nlohmann::json(*read.secrets).dump();
    const auto stored = desk_->put_connector(tenant_.caller, row, secrets, std::nullopt);
    REQUIRE(stored.has_value());
    return *stored;
}

std::int64_t TicketRig::story(const std::string& account, std::chrono::microseconds after) {
    const auto posted =
        rig_.ingest().post(tenant_.caller.tenant, {sign_in(account + "-1", account, after), inbox_rule(account + "-2", account, after + 30min)});
    REQUIRE(summary(posted) == "aa");
    REQUIRE(rig_.settle());
    return std::stoll(database_.ask(fmt::format("SELECT coalesce(max(number), 0) FROM incident WHERE 'account:{}' = ANY(entity_keys)", account)));
}

void TicketRig::merge(std::int64_t from, std::int64_t into) {
    REQUIRE(control_.merge(caller(), {engine::IncidentNumber{into}, {engine::IncidentNumber{from}}, "one intruder", "k"}).has_value());
}

std::int64_t TicketRig::split(std::int64_t number, const std::string& account) {
    server::pg::FindingStore findings{database_.api()};
    api::ports::FindingFilter filter;
    filter.entities = {{"account", account}};
    const auto page = findings.page(caller(), filter, {});
    REQUIRE(page.has_value());
    REQUIRE(page->items.size() == 1);
    const auto made = control_.split(caller(), {engine::IncidentNumber{number}, {page->items[0].record.id}, "another matter", "k"});
    REQUIRE(made.has_value());
    return made->number.value();
}

void TicketRig::comment(std::int64_t number, const std::string& text) {
    REQUIRE(control_.comment(caller(), {engine::IncidentNumber{number}, text, caller().key_id}).has_value());
}

std::string TicketRig::comments(std::int64_t number) {
    return ask(
        fmt::format("SELECT coalesce(string_agg(actor || ' said ' || detail, '|' ORDER BY position), '') FROM incident_activity "
                    "WHERE number = {} AND what = 'commented'",
                    number));
}

void TicketRig::edit(engine::IncidentEdit edit) {
    edit.actor = tenant_.caller.key_id;
    REQUIRE(control_.edit(tenant_.caller, edit, std::nullopt).has_value());
}

std::string TicketRig::ticket(const std::string& connector, std::int64_t incident, const std::string& column) {
    return database_.ask(
        fmt::format("SELECT coalesce((SELECT ({})::text FROM ticket WHERE connector = '{}' AND incident = {}), 'none')", column, connector, incident));
}

bool TicketRig::reaches(const std::string& connector, std::int64_t incident, const std::string& state) {
    return wait_until([&] { return ticket(connector, incident, "state") == state; });
}

}  // namespace catenary::tests
