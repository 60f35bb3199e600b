#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace catenary::tests {

/// A ticket system that a script of the shared material installs and runs on loopback, with what a test needs of it as its administrator.
class RealSystem {
public:
    /// What the script says of the system it runs has names that begin with `prefix`; it runs what `home` holds, by the process in its file `pid_file`.
    RealSystem(std::string script, std::string prefix, std::string home, std::string pid_file);
    virtual ~RealSystem() = default;
    /// Nothing of it can be run here, or nobody asked for it: it installs packages and takes minutes.
    static bool missing();

    /// Installed, running and empty.
    void begin();
    void end();
    /// kill -9 of all its processes.
    void crash();
    void start();

    const std::string& url() const { return said("URL"); }
    /// The body of PUT /connectors/{name}, but for `poll`.
    virtual nlohmann::json connector(const std::string& url) const = 0;
    /// As its administrator; fails unless it answers `status`. What is no JSON is discarded.
    nlohmann::json ask(const std::string& method, const std::string& path, const nlohmann::json& body, int status);
    /// Ids by our mark; fails on a mark that is there twice.
    virtual std::map<std::string, std::string> tickets() = 0;
    /// As a person who works there: closes as a false positive, or opens again.
    virtual void reject(const std::string& id) = 0;
    virtual void reopen(const std::string& id) = 0;
    struct Shown {
        std::string status, priority, changed;
        bool closed = false;
    };
    virtual Shown show(const std::string& id) = 0;
    /// What the journals of all tickets hold: how many entries, and what each note of our account says, by the tickets' ids.
    struct Journals {
        std::size_t entries = 0;
        std::map<std::string, std::vector<std::string>> notes;
        friend bool operator==(const Journals&, const Journals&) = default;
    };
    virtual Journals journals() = 0;

protected:
    const std::string& said(const std::string& name) const;
    nlohmann::json get(const std::string& path);
    /// Header of the administrator.
    virtual std::string admin() const = 0;

private:
    void run(const std::string& verb);
    bool answers_within(std::chrono::seconds patience) const;

    std::string script_, prefix_, home_, pid_file_;
    std::map<std::string, std::string> said_;
};

std::unique_ptr<RealSystem> real_redmine();
std::unique_ptr<RealSystem> real_request_tracker();

}  // namespace catenary::tests
