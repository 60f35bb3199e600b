#pragma once

#include "server/net/http_server.hpp"
#include "tests/server/net/raw_client.hpp"
#include "tests/server/net/unused_services.hpp"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace catenary::tests {

/// Knows "writer" (signals:write) and "reader" (incidents:read); forgets nothing. "broken": the keys cannot be read.
class FakeAuthenticator final : public server::net::Authenticator {
public:
    std::optional<api::Caller> cached(std::string_view bearer) override;
    api::ports::Outcome<std::optional<api::Caller>> authenticate(std::string_view bearer) override;
};

/// Remembers in memory; `bearer` must be the same again.
class FakeReplies final : public server::net::RememberedReplies {
public:
    api::ports::Outcome<Claim> claim(const api::http::Request& request, const api::Caller& caller, std::string_view bearer) override;

private:
    struct Kept {
        std::string request;
        std::string bearer;
        api::http::Response reply;
    };
    class FakeEffect;
    std::mutex mutex_;
    std::map<std::string, Kept> kept_;
};

/// Keeps what is submitted until the test completes it.
class FakeSink final : public server::SignalSink {
public:
    void submit(engine::TenantId tenant, std::shared_ptr<api::ingest::PreparedBatch> batch, Done done) override;
    /// Waits for the oldest submission, answers it, and returns its body.
    std::string complete(api::ingest::CommitOutcome::State state);
    /// Waits until a submission waits.
    void wait_for_one();
    /// Answers everything from now on with `committed`.
    void complete_all();

private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<std::pair<std::string, Done>> waiting_;
    bool completes_at_once_ = false;
};

/// A gate in a handler: the test sees that the handler runs and decides when it returns.
class Turnstile {
public:
    void pass();          ///< in the handler: waits until open() was called
    void wait_for_one();  ///< in the test: until a handler waits
    void open();

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int waiting_ = 0;
    bool open_ = false;
};

/// The HTTP server with small routes and no database behind it:
///   GET /healthz (no key) · GET /metrics (no key) · POST /api/v1/counted (incidents:read) 201 with how often it ran, 422 without a body · GET /api/v1/incidents (incidents:read) answers its query · POST /api/v1/patterns (incidents:read) answers its body ·
///   GET /api/v1/slow waits at the turnstile · GET /api/v1/throws · GET /api/v1/unknown-outcome · GET /api/v1/splits · POST /api/v1/signals (signals:write)
class ServedFakes {
public:
    explicit ServedFakes(server::net::HttpLimits limits = {});
    ~ServedFakes();  // lets every handler and submission end before the server goes
    ServedFakes(const ServedFakes&) = delete;
    ServedFakes& operator=(const ServedFakes&) = delete;

    const std::string& where() const { return where_; }

    Turnstile& turnstile() { return turnstile_; }
    server::net::HttpServer& server() { return *server_; }
    FakeSink& sink() { return sink_; }
    /// From now on no signals are taken, for this reason.
    void stall(std::string why);

private:
    Turnstile turnstile_;
    int count_ = 0;  // of worker threads, one request at a time
    FakeAuthenticator authenticator_;
    FakeReplies replies_;
    FakeSink sink_;
    std::mutex mutex_;
    std::optional<std::string> stalled_;
    UnusedServices unused_;
    api::ports::Services services_;
    server::observe::Log log_;
    std::unique_ptr<server::net::HttpServer> server_;
    std::string where_;
};

/// Text of a request with a Host, a key, and a length where there is a body.
std::string request(std::string_view method, std::string_view target, std::string_view key, std::string_view body = {}, std::string_view fields = {});

}  // namespace catenary::tests
