#pragma once

#include "server/replay/api_client.hpp"
#include "tests/support/temporary_folder.hpp"

#include <sys/types.h>
#include <csignal>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::tests {

/// A child process with its standard output and error in one file.
class ChildProcess {
public:
    ChildProcess(const std::vector<std::string>& command, std::filesystem::path output);
    ~ChildProcess();  ///< kills it when it still runs
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    void signal(int number) const;
    pid_t pid() const { return pid_; }
    bool running();
    /// Exit code, or 128 + the signal that ended it. Throws when it still runs after `patience`.
    int wait(std::chrono::seconds patience);
    std::string output() const;
    /// Waits until the output holds `text`; throws with the output when the process ends or `patience` passes first.
    void wait_for(std::string_view text, std::chrono::seconds patience);

private:
    pid_t pid_;
    std::filesystem::path output_;
    bool ended_ = false;
    int code_ = 0;
};

/// The program that is tested, CATENARY_PROGRAM.
std::string catenary_program();

/// `catenary serve` on a free loopback port with a data folder (and so a private PostgreSQL) of its own.
class ServerProcess {
public:
    explicit ServerProcess(std::vector<std::string> flags = {});
    ~ServerProcess();  ///< stops server and PostgreSQL, removes the folder

    /// Starts and waits until it is ready; throws when that takes longer than `patience`: on a busy machine a new PostgreSQL alone takes a minute.
    /// The port stays the same from the first start on.
    void start(std::chrono::seconds patience = std::chrono::seconds{180});
    /// kill -9 of the server alone, as a crash would.
    void crash();
    /// SIGSTOP, SIGCONT: the server alone stands still, and goes on.
    void pause() { process_->signal(SIGSTOP); }
    void resume() { process_->signal(SIGCONT); }
    /// SIGTERM; the exit code.
    int stop();

    const std::string& url() const { return url_; }
    /// Of the server that runs.
    pid_t pid() const { return process_->pid(); }
    std::string admin_key() const;
    std::filesystem::path data_folder() const { return folder_.path() / "data"; }
    std::string output() const;
    /// For the --database of another server on this one's private PostgreSQL.
    std::string database_url() const;
    /// The same for the superuser of the private PostgreSQL, whom nothing is denied.
    std::string superuser_url() const;
    /// The key of a new tenant, with every scope.
    std::string tenant_key(const std::string& name) const;
    /// A client of a new tenant whose key has every scope.
    server::ApiClient tenant(const std::string& name) const;
    /// A client of the operator's tenant.
    server::ApiClient admin() const { return {url_, admin_key()}; }

private:
    std::string url_for(std::string_view user) const;

    TemporaryFolder folder_;
    std::vector<std::string> flags_;
    std::unique_ptr<ChildProcess> process_;
    std::string url_;
    int starts_ = 0;
    bool stopped_ = false;  ///< in order
};

/// Waits until a tenant's entries are correlated; throws after a minute.
void wait_until_correlated(server::ApiClient& client);

}  // namespace catenary::tests
