#pragma once

#include "server/pg/control_log.hpp"
#include "server/pg/ticket_desk.hpp"
#include "server/tickets/ticketing.hpp"
#include "tests/server/lanes/lane_rig.hpp"
#include "tests/support/temporary_folder.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>

namespace catenary::tests {

/// From signals to tickets: a running lane, a dispatcher that may talk to loopback, and the requests' side of both.
class TicketRig {
public:
    TicketRig();

    /// Puts a connector as PUT /connectors/{name} would; the body may hold `secrets`.
    api::tickets::ConnectorRow put(const std::string& name, nlohmann::json body);
    /// Two signals of an account that make an incident; its number.
    std::int64_t story(const std::string& account, std::chrono::microseconds after = {});
    void edit(engine::IncidentEdit edit);
    void merge(std::int64_t from, std::int64_t into);
    /// The incident that the account's finding is in from then on.
    std::int64_t split(std::int64_t number, const std::string& account);
    void comment(std::int64_t number, const std::string& text);
    /// "actor said text" of every comment on the incident, in order.
    std::string comments(std::int64_t number);
    bool settle() { return rig_.settle(); }

    /// Waits until a ticket of the incident is in this state.
    bool reaches(const std::string& connector, std::int64_t incident, const std::string& state);
    /// A column of its ticket.
    std::string ticket(const std::string& connector, std::int64_t incident, const std::string& column);
    std::string ask(const std::string& sql) { return database_.ask(sql); }
    void run(const std::string& sql) { database_.run(sql); }
    bool wait(const std::function<bool()>& done) { return wait_until(done); }

    /// Another process on the same database.
    std::unique_ptr<server::tickets::Ticketing> process();
    server::tickets::Ticketing& ticketing() { return *ticketing_; }
    void restart_ticketing();
    server::pg::PgTicketDesk& desk() { return *desk_; }
    server::pg::PgControlLog& control() { return control_; }
    const api::Caller& caller() const { return tenant_.caller; }
    TestDatabase& database() { return database_; }
    LaneRig& lanes() { return rig_; }

private:
    TemporaryFolder folder_;
    TestDatabase database_;
    TestTenant tenant_ = database_.add_tenant("first");
    LaneRig rig_{database_};
    server::pg::PgControlLog control_{database_.api(), rig_.progress(), [this] { rig_.worker().nudge(); }};
    std::unique_ptr<server::tickets::Ticketing> ticketing_;
    std::unique_ptr<server::pg::PgTicketDesk> desk_;
};

}  // namespace catenary::tests
