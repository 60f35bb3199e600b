#include "tests/support/server_process.hpp"

#include "server/pg/private_cluster.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace catenary::tests {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds poll_interval{10};

std::string content(const std::filesystem::path& file) {
    std::ifstream in{file};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, std::filesystem::path output) : output_{std::move(output)} {
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const int file = ::open(output_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ == 0) {
        ::dup2(file, STDOUT_FILENO);
        ::dup2(file, STDERR_FILENO);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(file);
}

ChildProcess::~ChildProcess() {
    if (!running()) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void ChildProcess::signal(int number) const { ::kill(pid_, number); }

bool ChildProcess::running() {
    if (ended_) return false;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
    ended_ = true;
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return false;
}

int ChildProcess::wait(std::chrono::seconds patience) {
    const auto deadline = Clock::now() + patience;
    while (running()) {
        if (Clock::now() > deadline) throw std::runtime_error("still running:\n" + output());
        std::this_thread::sleep_for(poll_interval);
    }
    return code_;
}

std::string ChildProcess::output() const { return content(output_); }

void ChildProcess::wait_for(std::string_view text, std::chrono::seconds patience) {
    const auto deadline = Clock::now() + patience;
    while (output().find(text) == std::string::npos) {
        if (!running()) throw std::runtime_error(fmt::format("ended with {} before it said '{}':\n{}", code_, text, output()));
        if (Clock::now() > deadline) throw std::runtime_error(fmt::format("did not say '{}':\n{}", text, output()));
        std::this_thread::sleep_for(poll_interval);
    }
}

std::string catenary_program() {
    const auto* path = std::getenv("CATENARY_PROGRAM");
    if (path == nullptr) throw std::runtime_error("CATENARY_PROGRAM must name the program that is tested");
    return path;
}

ServerProcess::ServerProcess(std::vector<std::string> flags) : flags_{std::move(flags)} {}

ServerProcess::~ServerProcess() {
    if (stopped_) return;
    try {
        if (process_ == nullptr || !process_->running()) start();  // after a crash: take the database over, so that it can be stopped
        stop();
    } catch (const std::exception&) {
        process_.reset();
    }
}

void ServerProcess::start(std::chrono::seconds patience) {
    const auto listen = url_.empty() ? std::string{"127.0.0.1:0"} : url_.substr(std::string_view{"http://"}.size());
    std::vector<std::string> command{catenary_program(), "serve", "--data-dir", data_folder().string(), "--listen", listen};
    command.insert(command.end(), flags_.begin(), flags_.end());
    stopped_ = false;
    process_ = std::make_unique<ChildProcess>(command, folder_.path() / fmt::format("output-{}.log", ++starts_));
    constexpr std::string_view announcement = "listening on ";
    process_->wait_for(announcement, patience);
    process_->wait_for("\n", std::chrono::seconds{5});
    const auto said = process_->output();
    const auto from = said.find(announcement) + announcement.size();
    url_ = said.substr(from, said.find_first_of(" \r\n\"", from) - from);
    server::ApiClient client{url_, ""};
    const auto deadline = Clock::now() + patience;
    while (client.get("/readyz").status != 200) {
        if (Clock::now() > deadline) throw std::runtime_error("not ready:\n" + process_->output());
        std::this_thread::sleep_for(poll_interval);
    }
}

void ServerProcess::crash() {
    process_->signal(SIGKILL);
    process_->wait(std::chrono::seconds{10});
}

int ServerProcess::stop() {
    process_->signal(SIGTERM);
    const int code = process_->wait(std::chrono::seconds{40});
    stopped_ = code == 0;  // and with it its PostgreSQL
    return code;
}

std::string ServerProcess::admin_key() const {
    auto key = content(data_folder() / "admin.key");
    while (!key.empty() && key.back() == '\n') key.pop_back();
    return key;
}

std::string ServerProcess::database_url() const { return url_for("catenary"); }
std::string ServerProcess::superuser_url() const { return url_for(server::pg::PrivateCluster::superuser); }

std::string ServerProcess::url_for(std::string_view user) const {
    std::ifstream pid_file{data_folder() / "postgres" / "postmaster.pid"};
    std::string socket_folder;
    for (int line = 0; line < 5; ++line) std::getline(pid_file, socket_folder);
    return fmt::format("host={} dbname=catenary user={}", socket_folder, user);
}

std::string ServerProcess::output() const { return process_->output(); }

std::string ServerProcess::tenant_key(const std::string& name) const {
    auto operator_client = admin();
    const auto reply = operator_client.post("/api/v1/tenants", nlohmann::json{{"name", name}}.dump());
    if (reply.status != 201) throw std::runtime_error("no tenant: " + reply.body);
    return nlohmann::json::parse(reply.body)["key"].get<std::string>();
}

server::ApiClient ServerProcess::tenant(const std::string& name) const { return {url_, tenant_key(name)}; }

void wait_until_correlated(server::ApiClient& client) {
    const auto deadline = Clock::now() + std::chrono::minutes{1};
    for (;;) {
        const auto reply = client.get("/api/v1/diagnostics");
        if (reply.status == 200 && nlohmann::json::parse(reply.body)["lag"]["signals"] == 0) return;
        if (Clock::now() > deadline) throw std::runtime_error("not correlated within a minute: " + reply.body);
        std::this_thread::sleep_for(poll_interval);
    }
}

}  // namespace catenary::tests
