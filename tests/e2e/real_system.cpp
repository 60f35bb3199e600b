#include "tests/e2e/real_system.hpp"

#include "api/http/target.hpp"
#include "tests/support/server_process.hpp"
#include "tests/support/shared_material.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace catenary::tests {

using nlohmann::json;
using namespace std::chrono_literals;

namespace {

std::string setting(const char* name, const char* usual) {
    const auto* value = std::getenv(name);
    return value == nullptr ? usual : value;
}

}  // namespace

RealSystem::RealSystem(std::string script, std::string prefix, std::string home, std::string pid_file)
    : script_{std::move(script)}, prefix_{std::move(prefix)}, home_{std::move(home)}, pid_file_{std::move(pid_file)} {}

bool RealSystem::missing() {
    return std::getenv("TEST_TICKETS") == nullptr || shared_material().empty() || !std::filesystem::exists(shared_material() / "ticketing") || ::geteuid() != 0;
}

void RealSystem::run(const std::string& verb) {
    const TemporaryFolder folder;
    ChildProcess script{{"sh", (shared_material() / "ticketing" / script_).string(), verb}, folder.path() / "log"};
    const int code = script.wait(600s);
    if (code != 0 && verb != "env") {  // it waits a minute for what it starts, and a busy machine takes longer
        run("env");
        REQUIRE_MESSAGE(answers_within(300s), script.output());
        return;
    }
    REQUIRE_MESSAGE(code == 0, script.output());
    std::istringstream lines{script.output()};
    for (std::string line; std::getline(lines, line);) {
        const auto at = line.find('=');
        if (!line.starts_with(prefix_) || at == std::string::npos) continue;
        auto value = line.substr(at + 1);
        if (value.size() > 1 && value.front() == '\'' && value.back() == '\'') value = value.substr(1, value.size() - 2);
        said_[line.substr(prefix_.size(), at - prefix_.size())] = value;
    }
}

bool RealSystem::answers_within(std::chrono::seconds patience) const {
    for (const auto end = std::chrono::steady_clock::now() + patience; std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(1s)) {
        try {
            if (server::ApiClient{url(), ""}.get("/").status < 500) return true;
        } catch (const server::ApiUnreachable&) {
            continue;  // not yet
        }
    }
    return false;
}

// Its script waits for a stop only so long, and a busy machine takes longer: what it is to stop or to reset has ended before.
void RealSystem::begin() {
    run("up");
    crash();
    run("reset");
}

void RealSystem::end() {
    crash();
    run("down");
}

void RealSystem::start() { run("up"); }

void RealSystem::crash() {
    pid_t pid = 0;
    std::ifstream{home_ + "/" + pid_file_} >> pid;
    REQUIRE(pid > 1);
    ::kill(-pid, SIGKILL);  // each script starts its system in a session of its own: its workers are one process group
    for (int i = 0; i < 100 && std::filesystem::exists(fmt::format("/proc/{}/exe", pid)); ++i) std::this_thread::sleep_for(20ms);
}

const std::string& RealSystem::said(const std::string& name) const {
    const auto found = said_.find(name);
    REQUIRE_MESSAGE(found != said_.end(), script_, " says no ", prefix_, name);
    return found->second;
}

json RealSystem::ask(const std::string& method, const std::string& path, const json& body, int status) {
    const auto text = body.is_null() ? std::string{} : body.dump();
    const auto reply = server::ApiClient{url(), ""}.send(
        {.method = method, .path = path, .body = text, .content_type = body.is_null() ? "" : "application/json", .headers = {admin()}});
    REQUIRE_MESSAGE(reply.status == status, method, " ", path, ": ", reply.status, " ", reply.body);
    return json::parse(reply.body, nullptr, false);
}

json RealSystem::get(const std::string& path) { return ask("GET", path, nullptr, 200); }

namespace {

class RealRedmine final : public RealSystem {
public:
    RealRedmine() : RealSystem{"redmine.sh", "REDMINE_", setting("REDMINE_HOME", "/var/lib/ticketing-redmine"), "puma.pid"} {}

    json connector(const std::string& url) const override {
        return {
            {"kind", "redmine"},
            {"url", url},
            {"secrets", {{"api_key", said("API_KEY")}}},
            {"priorities", {{"high", said("PRIORITY_HIGH")}, {"low", said("PRIORITY_LOW")}}},
            {"statuses", {{"new", said("STATUS_NEW")}, {"active", said("STATUS_IN_PROGRESS")}, {"closed", said("STATUS_CLOSED")}}},
            {"resolutions", {{said("STATUS_REJECTED"), "false_positive"}}},
            {"closing", "apply"},
            {"redmine", {{"project", said("PROJECT")}, {"tracker", std::stoi(said("TRACKER_BUG"))}, {"incident_field", std::stoi(said("EXTERNAL_ID_FIELD"))}}}};
    }
    std::map<std::string, std::string> tickets() override {
        std::map<std::string, std::string> found;
        for (int offset = 0;; offset += 100) {
            const auto page = get(fmt::format("/issues.json?status_id=*&limit=100&offset={}", offset));
            for (const auto& issue : page["issues"]) {
                const auto marker = issue["custom_fields"][0]["value"].get<std::string>();
                CHECK_MESSAGE(found.emplace(marker, std::to_string(issue["id"].get<int>())).second, marker, " is there twice");
            }
            if (page["issues"].size() < 100) return found;
        }
    }
    void reject(const std::string& id) override { set_status(id, said("STATUS_REJECTED")); }
    void reopen(const std::string& id) override { set_status(id, said("STATUS_IN_PROGRESS")); }
    Shown show(const std::string& id) override {
        const auto issue = get(fmt::format("/issues/{}.json", id))["issue"];
        return {std::to_string(issue["status"]["id"].get<int>()), std::to_string(issue["priority"]["id"].get<int>()), issue["updated_on"].get<std::string>(),
                issue["status"]["is_closed"].get<bool>()};
    }
    Journals journals() override {
        Journals found;
        for (const auto& [marker, id] : tickets()) {
            const auto issue = get(fmt::format("/issues/{}.json?include=journals", id))["issue"];
            found.entries += issue["journals"].size();
            for (const auto& journal : issue["journals"]) {
                const auto words = journal.value("notes", "");
                if (!words.empty() && journal["user"]["id"] == issue["author"]["id"]) found.notes[id].push_back(words);
            }
        }
        return found;
    }

private:
    std::string admin() const override { return "X-Redmine-API-Key: " + said("ADMIN_API_KEY"); }
    void set_status(const std::string& id, const std::string& status) {
        ask("PUT", fmt::format("/issues/{}.json", id), {{"issue", {{"status_id", std::stoi(status)}}}}, 204);
    }
};

class RealRequestTracker final : public RealSystem {
public:
    RealRequestTracker() : RealSystem{"rt.sh", "RT_", setting("RT_HOME", "/var/lib/ticketing-rt"), "rt.pid"} {}

    json connector(const std::string& url) const override {
        return {{"kind", "request_tracker"},
                {"url", url},
                {"secrets", {{"token", said("TOKEN")}}},
                {"priorities", {{"high", 80}, {"low", 20}}},
                {"statuses", {{"new", "new"}, {"active", "open"}, {"closed", "resolved"}}},
                {"resolutions", {{"rejected", "false_positive"}}},
                {"closing", "apply"},
                {"request_tracker", {{"queue", said("QUEUE")}, {"incident_field", said("EXTERNAL_ID_FIELD")}}}};
    }
    std::map<std::string, std::string> tickets() override {
        std::map<std::string, std::string> found;
        const auto query = api::http::percent_encoded(fmt::format("Queue = '{}'", said("QUEUE")));
        for (int page = 1;; ++page) {
            const auto items = get(fmt::format("/REST/2.0/tickets?fields=CustomFields&orderby=id&per_page=100&page={}&query={}", page, query))["items"];
            for (const auto& item : items) {
                const auto marker = item["CustomFields"][0]["values"][0].get<std::string>();
                CHECK_MESSAGE(found.emplace(marker, item["id"].get<std::string>()).second, marker, " is there twice");
            }
            if (items.size() < 100) return found;
        }
    }
    void reject(const std::string& id) override { set_status(id, "rejected"); }
    void reopen(const std::string& id) override { set_status(id, "open"); }
    Shown show(const std::string& id) override {
        const auto ticket = get("/REST/2.0/ticket/" + id);
        const auto status = ticket["Status"].get<std::string>();
        return {status, ticket["Priority"].get<std::string>(), ticket["LastUpdated"].get<std::string>(), status == "resolved" || status == "rejected"};
    }
    Journals journals() override {
        Journals found;
        found.entries = transactions("ObjectType = 'RT::Ticket'", "Type", 1, 1)["total"].get<std::size_t>();
        for (int page = 1;; ++page) {
            const auto items = transactions("Type = 'Comment' OR Type = 'Correspond'", "Data,ObjectId,Creator", page, 100)["items"];
            for (const auto& item : items) {  // Data of a note is its subject, ours say of which revision they tell
                if (item["Creator"]["id"] == "correlator") found.notes[item["ObjectId"].get<std::string>()].push_back(item["Data"].get<std::string>());
            }
            if (items.size() < 100) return found;
        }
    }

private:
    std::string admin() const override { return "Authorization: token " + said("ADMIN_TOKEN"); }
    json transactions(const std::string& query, const char* fields, int page, int size) {
        return get(
            fmt::format("/REST/2.0/transactions?fields={}&orderby=id&per_page={}&page={}&query={}", fields, size, page, api::http::percent_encoded(query)));
    }
    void set_status(const std::string& id, const char* status) { ask("PUT", "/REST/2.0/ticket/" + id, {{"Status", status}}, 200); }
};

}  // namespace

std::unique_ptr<RealSystem> real_redmine() { return std::make_unique<RealRedmine>(); }
std::unique_ptr<RealSystem> real_request_tracker() { return std::make_unique<RealRequestTracker>(); }

}  // namespace catenary::tests
