#pragma once

#include "engine/model/time.hpp"
#include "server/auth/key_authenticator.hpp"
#include "server/backtest/backtest_worker.hpp"
#include "server/ingest/committer.hpp"
#include "server/ingest/hand_off.hpp"
#include "server/lanes/lane_worker.hpp"
#include "server/pg/leaf_retention.hpp"
#include "server/pg/pool.hpp"
#include "server/pg/storage_room.hpp"
#include "server/pg/ticket_desk.hpp"
#include "server/tickets/dispatcher.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace catenary::server::observe {

/// What the parts behind HTTP say of themselves.
struct ProcessState {
    CommitterStatus committer;
    LeaderStatus lanes;
    pg::Pool::Usage pool;
    HandOff::Usage hand_off;
    auth::KeyAuthenticator::Usage keys;
    pg::RetentionUsage retention = {};
    BacktestWorker::Usage backtests = {};
    std::optional<pg::StorageRoom::Usage> room = {};  ///< of a private PostgreSQL
    std::int64_t unlisted_sources = 0;
    tickets::Dispatcher::Usage ticketing = {};
    pg::PgTicketDesk::HookUsage hooks = {};
};

/// Prometheus text of it. `now`: for ages.
std::string process_metrics(const ProcessState& state, engine::Timestamp now);

}  // namespace catenary::server::observe
