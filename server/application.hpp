#pragma once

#include "server/config/settings.hpp"
#include "server/observe/log.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace catenary::server::tickets {
class Ticketing;
}

namespace catenary::server {

class Pipeline;  // from submitted signals to results
class Serving;   // stores, keys and HTTP

/// The server as a whole: builds its parts in order, ends them in reverse. Made, started and stopped by one thread.
///
///   data folder ─ database ─ first tenant ─ lane worker ─ committer ─ ticketing ─ stores, keys ─ HTTP
class Application {
public:
    /// `log` outlives the application.
    Application(const config::Settings& settings, const observe::Log& log);
    ~Application();  // stops if stop() was not called
    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;

    /// Blocks until connections are accepted; replay of the log goes on behind (/readyz tells). Throws std::runtime_error that tells the operator
    /// what is wrong and what to do.
    void start();

    /// Accepts no more, finishes requests under way, commits what waits, writes the lanes' results, closes the database. Idempotent.
    void stop();

    /// "http://127.0.0.1:8080", once started.
    const std::string& url() const { return url_; }
    /// The data folder, absolute, once started.
    std::filesystem::path data_dir() const;
    /// The operator's key when this start has made it: to be shown once.
    const std::optional<std::string>& new_admin_key() const { return new_admin_key_; }

private:
    class Storage;  // data folder and database

    const config::Settings settings_;
    const observe::Log& log_;
    std::unique_ptr<Storage> storage_;
    std::unique_ptr<Pipeline> pipeline_;
    std::unique_ptr<tickets::Ticketing> ticketing_;
    std::unique_ptr<Serving> serving_;
    std::string url_;
    std::optional<std::string> new_admin_key_;
};

}  // namespace catenary::server
