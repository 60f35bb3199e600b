#include "server/application.hpp"

#include "api/catalogue/shipped_patterns.hpp"
#include "server/admin_key.hpp"
#include "server/auth/key_authenticator.hpp"
#include "server/backtest/backtest_worker.hpp"
#include "server/ingest/committer.hpp"
#include "server/lanes/lane_set.hpp"
#include "server/lanes/lane_worker.hpp"
#include "server/net/http_server.hpp"
#include "server/observe/process_metrics.hpp"
#include "server/pg/chain_store.hpp"
#include "server/pg/control_log.hpp"
#include "server/pg/cursor_key.hpp"
#include "server/pg/data_folder.hpp"
#include "server/pg/database.hpp"
#include "server/pg/diagnostics_store.hpp"
#include "server/pg/entity_store.hpp"
#include "server/pg/finding_store.hpp"
#include "server/pg/incident_store.hpp"
#include "server/pg/job_store.hpp"
#include "server/pg/lane_progress.hpp"
#include "server/pg/leaf_retention.hpp"
#include "server/pg/leaf_sealer.hpp"
#include "server/pg/pattern_version_store.hpp"
#include "server/pg/reply_store.hpp"
#include "server/pg/setting_store.hpp"
#include "server/pg/signal_store.hpp"
#include "server/pg/storage_room.hpp"
#include "server/pg/tenant_store.hpp"
#include "server/pg/ticket_desk.hpp"
#include "server/tickets/ticketing.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace catenary::server {
namespace {

engine::Timestamp wall_clock() { return std::chrono::floor<engine::Duration>(std::chrono::system_clock::now()); }

template <class T>
T need(pg::Started<T> started) {
    if (!started) throw std::runtime_error(started.error().message);
    return *std::move(started);
}

pg::DatabaseOptions database_options(const config::Settings& settings, const std::filesystem::path& folder, const observe::Log& log) {
    pg::DatabaseOptions options;
    options.data_dir = folder;
    options.url = settings.database;
    options.api_connections = settings.worker_threads;
    options.statement_timeout = settings.statement_timeout;
    options.progress = [&log](std::string_view what) { log.event(observe::Level::info, "database_progress", {{"what", what}}); };
    return options;
}

/// Written to lane.owner, for people.
std::string process_name() {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    return fmt::format("{} pid {}", host.data(), ::getpid());
}

tickets::TicketingOptions ticketing_options(const config::Settings& settings, const std::filesystem::path& folder, const pg::Database& database) {
    return {.lane_dsn = database.dsn(pg::Role::lane),
            .api_dsn = database.dsn(pg::Role::api),
            .key_file = settings.connector_key_file.empty() ? folder / "connectors.key" : settings.connector_key_file,
            .networks = settings.connector_networks,
            .ca_file = settings.connector_ca_file,
            .process = process_name(),
            .secret = need(pg::cursor_key(database))};
}

engine::Catalogue shipped_catalogue() {
    engine::Catalogue catalogue;
    for (const auto& shipped : api::catalogue::shipped_patterns()) catalogue.push_back(shipped.pattern);
    return catalogue;
}

}  // namespace

class Application::Storage {
public:
    Storage(const config::Settings& settings, const observe::Log& log)
        : folder{need(pg::DataFolder::open(settings.data_dir))}, database{need(pg::Database::open(database_options(settings, folder.path(), log)))} {}

    pg::DataFolder folder;
    std::unique_ptr<pg::Database> database;
};

class Application::Pipeline {
public:
    Pipeline(const config::Settings& settings, pg::Database& database)
        : most_lag{static_cast<std::int64_t>(settings.most_lag)},
          room{storage_room(database)},
          lanes{lane_options(settings, database), shipped_catalogue(), &wall_clock, watermarks, sources, hand_off, progress},
          retention{{.dsn = database.dsn(pg::Role::ingest), .days = settings.retention_days}},
          committer{committer_options(settings, database, room.get(), retention), &wall_clock, watermarks, sources, hand_off},
          sealer{{.dsn = database.dsn(pg::Role::ingest)}},
          backtests{{.dsn = database.dsn(pg::Role::lane), .is_busy = [this] { return is_busy(); }}} {
        if (room) room->start();
        retention.start();
        lanes.start();
        committer.start();
        sealer.start();
        backtests.start();
    }

    void stop() {
        backtests.stop();
        sealer.stop();
        retention.stop();
        committer.stop();
        lanes.stop();
        if (room) room->stop();
    }

    std::optional<std::string> not_ready() const {
        if (const auto ingest = committer.status().text(); ingest != "running") return "ingest is " + ingest;
        if (!lanes.ready()) return "correlation is " + lanes.status().text();
        return {};
    }

    /// Signals committed here that no lane has read yet.
    std::int64_t lag() const { return std::max<std::int64_t>(0, committer.status().last.value() - lanes.status().reached.value()); }
    std::optional<std::string> stalled() const {
        const auto behind = most_lag == 0 ? 0 : lag();
        if (behind <= most_lag) return {};
        return fmt::format("correlation is {} signals behind ({}), --max-lag is {}: nothing was stored, send it again later", behind, lanes.status().text(),
                           most_lag);
    }

    /// Signals wait to be stored, or results are behind: what is not urgent waits.
    bool is_busy() const { return committer.status().waiting_items > 0 || lag() > busy_lag; }

    static constexpr std::int64_t busy_lag = 20'000;
    const std::int64_t most_lag;
    std::unique_ptr<pg::StorageRoom> room;  ///< of a private PostgreSQL
    Watermarks watermarks;
    SourceRegistry sources;
    HandOff hand_off;
    pg::LaneProgress progress;
    LaneWorker lanes;
    pg::LeafRetention retention;
    Committer committer;
    pg::LeafSealer sealer;
    BacktestWorker backtests;

private:
    static LaneWorkerOptions lane_options(const config::Settings& settings, const pg::Database& database) {
        return {.dsn = database.dsn(pg::Role::lane),
                .owner = process_name(),
                .silence = settings.leader_timeout,
                .snapshot_entries = static_cast<std::int64_t>(settings.snapshot_entries)};
    }
    static std::unique_ptr<pg::StorageRoom> storage_room(pg::Database& database) {
        if (database.cluster() == nullptr) return nullptr;
        return std::make_unique<pg::StorageRoom>(pg::StorageRoomOptions{.cluster = database.cluster()->folder()});
    }
    static CommitterOptions committer_options(const config::Settings& settings, const pg::Database& database, const pg::StorageRoom* room,
                                              const pg::LeafRetention& retention) {
        CommitterOptions options{.dsn = database.dsn(pg::Role::ingest), .dedup_bytes = settings.dedup_bytes};
        options.first_kept = [&retention] { return retention.first_kept(); };
        if (room != nullptr) options.shortage = [room] { return room->shortage(); };
        return options;
    }
};

class Application::Serving {
public:
    Serving(const config::Settings& settings, pg::Database& database, Pipeline& pipeline, tickets::Ticketing& ticketing, const observe::Log& log)
        : signals{database.api(), &pipeline.committer},
          entities{database.api(), std::chrono::seconds{1}, [&pipeline] { pipeline.lanes.nudge(); }},
          incidents{database.api()},
          findings{database.api()},
          chains{database.api(), engine_view(pipeline.lanes)},
          patterns{database.api(), [&pipeline] { pipeline.lanes.nudge(); }},
          control{database.api(), pipeline.progress, [&pipeline] { pipeline.lanes.nudge(); }},
          settings_of_tenants{database.api(), [&pipeline] { pipeline.lanes.nudge(); }},
          diagnostics{database.api(), process_view(pipeline, ticketing, http, jobs)},
          tenants{database.api()},
          desk{database.api(), ticketing.box(),
               [&ticketing](engine::TenantId tenant, const pg::ServedConnector& served, std::vector<tickets::Exchanged>& exchanged) {
                   return ticketing.test(tenant, served, exchanged);
               },
               [&ticketing](engine::TenantId tenant, const pg::ServedConnector& served, const api::tickets::HookMessage& message) {
                   return ticketing.read_hook(tenant, served, message);
               },
               [&ticketing] { ticketing.dispatcher().nudge(); }},
          jobs{database.api()},
          services{signals,
                   entities,
                   incidents,
                   findings,
                   patterns,
                   control,
                   settings_of_tenants,
                   diagnostics,
                   tenants,
                   chains,
                   desk,
                   jobs,
                   need(pg::cursor_key(database))},
          keys{database.api()},
          replies{database.api()},
          http{http_options(settings), endpoints(database, pipeline, ticketing), log} {}

    pg::SignalStore signals;
    pg::EntityStore entities;
    pg::IncidentStore incidents;
    pg::FindingStore findings;
    pg::ChainStore chains;
    pg::PatternVersionStore patterns;
    pg::PgControlLog control;
    pg::SettingStore settings_of_tenants;
    pg::DiagnosticsStore diagnostics;
    pg::TenantStore tenants;
    pg::PgTicketDesk desk;
    pg::JobStore jobs;
    api::ports::Services services;
    auth::KeyAuthenticator keys;
    pg::ReplyStore replies;
    net::HttpServer http;

private:
    net::Endpoints endpoints(pg::Database& database, Pipeline& pipeline, tickets::Ticketing& ticketing) {
        auto metrics = [this, &database, &pipeline, &ticketing] {
            return http.usage_text() + observe::process_metrics({.committer = pipeline.committer.status(),
                                                                 .lanes = pipeline.lanes.status(),
                                                                 .pool = database.api().usage(),
                                                                 .hand_off = pipeline.hand_off.usage(),
                                                                 .keys = keys.usage(),
                                                                 .retention = pipeline.retention.usage(),
                                                                 .backtests = pipeline.backtests.usage(),
                                                                 .room = pipeline.room ? std::optional{pipeline.room->usage()} : std::nullopt,
                                                                 .unlisted_sources = pipeline.sources.unlisted(),
                                                                 .ticketing = ticketing.dispatcher().usage(),
                                                                 .hooks = desk.hook_usage()},
                                                                wall_clock());
        };
        return net::product_endpoints(services, keys, replies, pipeline.committer, std::move(metrics), [&pipeline] { return pipeline.stalled(); });
    }
    static pg::EngineView engine_view(LaneWorker& lanes) {
        pg::EngineView view;
        view.partials = [&lanes](engine::TenantId tenant, const engine::PartialWanted& wanted) {
            return ask<engine::PartialChains>(lanes, [&](const engine::Lane& lane) { return lane.partials(tenant, wanted); });
        };
        view.health = [&lanes](engine::TenantId tenant) {
            return ask<engine::TenantHealth>(lanes, [&](const engine::Lane& lane) { return lane.health(tenant); });
        };
        return view;
    }
    /// The answer of the lane that knows the tenant, or none's; empty when they cannot be asked.
    template <class Answer, class Question>
    static std::optional<Answer> ask(LaneWorker& lanes, const Question& question) {
        std::optional<Answer> answer;
        const bool is_answered = lanes.ask([&](const LaneSet& set) {
            for (const auto& [number, lane] : set.all()) {
                answer = question(lane);
                if (answer) return;
            }
            answer.emplace();
        });
        return is_answered ? answer : std::nullopt;
    }
    static pg::ProcessView process_view(Pipeline& pipeline, const tickets::Ticketing& ticketing, const net::HttpServer& http, const pg::JobStore& jobs) {
        pg::ProcessView view;
        view.sources = [&pipeline](engine::TenantId tenant) { return pipeline.sources.of(tenant); };
        view.caps = [&pipeline, &ticketing, &http, &jobs](engine::TenantId tenant) {
            std::vector<std::pair<std::string, std::int64_t>> caps;
            const auto refused = http.refused(tenant);
            if (const auto unlisted = pipeline.sources.unlisted(tenant); unlisted > 0) caps.emplace_back("sources_listed", unlisted);
            if (refused.by_quota > 0) caps.emplace_back("quota", refused.by_quota);
            if (const auto jobs_refused = jobs.refused(tenant); jobs_refused > 0) caps.emplace_back("backtests_waiting", jobs_refused);
            if (refused.stalled > 0) caps.emplace_back("correlation_lag", refused.stalled);
            if (const auto without_room = pipeline.committer.status().without_room; without_room > 0) caps.emplace_back("storage_full", without_room);
            if (const auto unserved = ticketing.dispatcher().usage().unserved; unserved > 0) {
                caps.emplace_back("connectors_served", static_cast<std::int64_t>(unserved));
            }
            return caps;
        };
        view.leader = [&pipeline](engine::TenantId) { return pipeline.lanes.status().text(); };
        view.not_ready = [&pipeline] { return pipeline.not_ready(); };
        return view;
    }
    static net::HttpServerOptions http_options(const config::Settings& settings) {
        return {settings.host, settings.port, settings.io_threads, settings.worker_threads, settings.http};
    }
};

Application::Application(const config::Settings& settings, const observe::Log& log) : settings_{settings}, log_{log} {}

Application::~Application() { stop(); }

void Application::start() {
    storage_ = std::make_unique<Storage>(settings_, log_);
    auto& database = *storage_->database;
    pg::TenantStore first{database.api()};
    const auto made = first.make_first_tenant([&](const std::string& key) {
        new_admin_key_ = key;
        return keep_admin_key(data_dir(), key);
    });
    if (!made) throw std::runtime_error(fmt::format("cannot make the first tenant and keep its key in {}: {}", data_dir().string(), made.error().detail));
    if (!*made) new_admin_key_.reset();
    pipeline_ = std::make_unique<Pipeline>(settings_, database);
    ticketing_ =
        std::make_unique<tickets::Ticketing>(ticketing_options(settings_, data_dir(), database), pipeline_->progress, [this] { pipeline_->lanes.nudge(); });
    ticketing_->dispatcher().start();
    serving_ = std::make_unique<Serving>(settings_, database, *pipeline_, *ticketing_, log_);
    url_ = "http://" + serving_->http.start();
    log_.event(observe::Level::info, "started", {{"url", std::string_view{url_}}});
}

void Application::stop() {
    if (!storage_) return;
    log_.event(observe::Level::info, "stopping");
    if (serving_ && !serving_->http.drain(settings_.stop_grace)) log_.event(observe::Level::warning, "requests_abandoned");
    if (ticketing_) ticketing_->dispatcher().stop();  // what it follows goes through the lanes
    if (pipeline_) pipeline_->stop();                 // answers every request that waits for a commit
    serving_.reset();                                 // joins the worker and I/O threads
    ticketing_.reset();
    pipeline_.reset();
    log_.event(observe::Level::info, "results_written");
    storage_.reset();
    log_.event(observe::Level::info, "stopped");
}

std::filesystem::path Application::data_dir() const { return storage_->folder.path(); }

}  // namespace catenary::server
