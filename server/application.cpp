#include "server/application.hpp"

#include "server/admin_key.hpp"
#include "server/pg/cursor_key.hpp"
#include "server/pg/data_folder.hpp"
#include "server/pg/database.hpp"
#include "server/pg/tenant_store.hpp"
#include "server/pipeline.hpp"
#include "server/serving.hpp"
#include "server/tickets/ticketing.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace catenary::server {
namespace {

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

tickets::TicketingOptions ticketing_options(const config::Settings& settings, const std::filesystem::path& folder, const pg::Database& database,
                                            const api::http::CursorKey& cursor_key) {
    return {.lane_dsn = database.dsn(pg::Role::lane),
            .api_dsn = database.dsn(pg::Role::api),
            .key_file = settings.connector_key_file.empty() ? folder / "connectors.key" : settings.connector_key_file,
            .networks = settings.connector_networks,
            .ca_file = settings.connector_ca_file,
            .process = process_name(),
            .secret = cursor_key};
}

}  // namespace

class Application::Storage {
public:
    Storage(const config::Settings& settings, const observe::Log& log)
        : folder{need(pg::DataFolder::open(settings.data_dir))}, database{need(pg::Database::open(database_options(settings, folder.path(), log)))} {}

    pg::DataFolder folder;
    std::unique_ptr<pg::Database> database;
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
    const auto cursor_key = need(pg::cursor_key(database));
    pipeline_ = std::make_unique<Pipeline>(settings_, database);
    ticketing_ = std::make_unique<tickets::Ticketing>(ticketing_options(settings_, data_dir(), database, cursor_key), pipeline_->progress,
                                                      [this] { pipeline_->lanes.nudge(); });
    ticketing_->dispatcher().start();
    serving_ = std::make_unique<Serving>(settings_, database, *pipeline_, *ticketing_, log_, cursor_key);
    url_ = "http://" + serving_->start();
    log_.event(observe::Level::info, "started", {{"url", std::string_view{url_}}});
}

void Application::stop() {
    if (!storage_) return;
    log_.event(observe::Level::info, "stopping");
    if (serving_ && !serving_->drain(settings_.stop_grace)) log_.event(observe::Level::warning, "requests_abandoned");
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
