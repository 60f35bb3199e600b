#pragma once

#include "server/auth/key_authenticator.hpp"
#include "server/config/settings.hpp"
#include "server/net/http_server.hpp"
#include "server/observe/log.hpp"
#include "server/pg/chain_store.hpp"
#include "server/pg/control_log.hpp"
#include "server/pg/diagnostics_store.hpp"
#include "server/pg/entity_store.hpp"
#include "server/pg/finding_store.hpp"
#include "server/pg/incident_store.hpp"
#include "server/pg/job_store.hpp"
#include "server/pg/pattern_version_store.hpp"
#include "server/pg/reply_store.hpp"
#include "server/pg/setting_store.hpp"
#include "server/pg/signal_store.hpp"
#include "server/pg/tenant_store.hpp"
#include "server/pg/ticket_desk.hpp"
#include "server/pipeline.hpp"
#include "server/tickets/ticketing.hpp"

#include <chrono>
#include <string>

namespace catenary::server {

/// What answers requests: the stores behind the API's ports, keys and HTTP.
class Serving {
public:
    /// All but the settings, whose values are read now, outlive it. `cursor_key`: seals the cursors of lists.
    Serving(const config::Settings& settings, pg::Database& database, Pipeline& pipeline, tickets::Ticketing& ticketing, const observe::Log& log,
            const api::http::CursorKey& cursor_key);

    /// Accepts connections from now on. The address, "127.0.0.1:8080"; throws std::runtime_error when it cannot be had.
    std::string start() { return http_.start(); }
    /// Accepts no more and waits for the requests under way, at most for `grace`; whether all were answered.
    bool drain(std::chrono::milliseconds grace) { return http_.drain(grace); }

private:
    net::Endpoints endpoints(const config::Settings& settings, pg::Database& database, Pipeline& pipeline, tickets::Ticketing& ticketing);

    pg::SignalStore signals_;
    pg::EntityStore entities_;
    pg::IncidentStore incidents_;
    pg::FindingStore findings_;
    pg::ChainStore chains_;
    pg::PatternVersionStore patterns_;
    pg::PgControlLog control_;
    pg::SettingStore settings_of_tenants_;
    pg::DiagnosticsStore diagnostics_;
    pg::TenantStore tenants_;
    pg::PgTicketDesk desk_;
    pg::JobStore jobs_;
    api::ports::Services services_;
    auth::KeyAuthenticator keys_;
    pg::ReplyStore replies_;
    net::HttpServer http_;
};

}  // namespace catenary::server
