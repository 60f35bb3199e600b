#include "tests/server/net/served_fakes.hpp"

#include "api/http/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace catenary::tests {
namespace {

using api::Caller;
using api::Route;
using api::Scope;
using api::http::Method;
using api::http::Request;
using api::http::Response;
using api::ports::Services;

// Handlers are plain functions, so the one thing they share with a test lives here. Reset by each ServedFakes.
Turnstile* shared_turnstile = nullptr;
int* shared_count = nullptr;

Response text(std::string body) { return {.status = 200, .content_type = "text/plain", .headers = {}, .body = std::move(body)}; }
Response health(const Request&, const Caller&, Services&) { return text("well"); }
Response list(const Request& request, const Caller& caller, Services&) {
    std::string said = caller.tenant_name;
    for (const auto& [name, value] : request.query) said += fmt::format(" {}={}", name, value);
    return text(said);
}
Response echo(const Request& request, const Caller&, Services&) { return text(request.body); }
/// Larger than both kernels' buffers together, so that sending it waits for the reader.
Response large(const Request&, const Caller&, Services&) { return text(std::string(32 * 1024 * 1024, 'x')); }
Response slow(const Request&, const Caller&, Services&) {
    shared_turnstile->pass();
    return text("at last");
}
Response throws(const Request&, const Caller&, Services&) { throw std::runtime_error{"secret detail"}; }
Response unknown_outcome(const Request&, const Caller&, Services&) { return {.status = 0, .headers = {}, .body = {}}; }
Response counted(const Request& request, const Caller&, Services&) {
    if (request.body.empty()) return api::http::problem(request, api::http::ProblemKind::invalid_document, "no body");
    auto response = text(std::to_string(++*shared_count));
    response.status = 201;
    response.headers.emplace_back("Location", "/somewhere");
    return response;
}
Response splits(const Request&, const Caller&, Services&) {
    auto response = text("");
    response.headers.emplace_back("Location", "/a\r\nX-Injected: yes");
    return response;
}

struct Entry {
    Route route;
    std::vector<std::string> segments;
};

const std::array<Entry, 13>& table() {
    static const std::array<Entry, 13> entries{{{{Method::get, "/healthz", Scope::none, &health}, {"healthz"}},
                                                {{Method::get, "/api/v1/large", Scope::incidents_read, &large}, {"api", "v1", "large"}},
                                                {{Method::post, "/api/v1/hooks", Scope::none, &echo}, {"api", "v1", "hooks"}},
                                                {{Method::get, "/metrics", Scope::none, nullptr}, {"metrics"}},
                                                {{Method::post, "/api/v1/counted", Scope::incidents_read, &counted}, {"api", "v1", "counted"}},
                                                {{Method::delete_, "/api/v1/counted", Scope::incidents_read, &echo}, {"api", "v1", "counted"}},
                                                {{Method::get, "/api/v1/incidents", Scope::incidents_read, &list}, {"api", "v1", "incidents"}},
                                                {{Method::post, "/api/v1/patterns", Scope::incidents_read, &echo}, {"api", "v1", "patterns"}},
                                                {{Method::get, "/api/v1/slow", Scope::incidents_read, &slow}, {"api", "v1", "slow"}},
                                                {{Method::get, "/api/v1/throws", Scope::incidents_read, &throws}, {"api", "v1", "throws"}},
                                                {{Method::get, "/api/v1/unknown-outcome", Scope::none, &unknown_outcome}, {"api", "v1", "unknown-outcome"}},
                                                {{Method::get, "/api/v1/splits", Scope::none, &splits}, {"api", "v1", "splits"}},
                                                {{Method::post, "/api/v1/signals", Scope::signals_write, nullptr}, {"api", "v1", "signals"}}}};
    return entries;
}

api::RouteMatch find(Method method, const std::vector<std::string>& segments) {
    api::RouteMatch match;
    for (const auto& entry : table()) {
        if (entry.segments != segments) continue;
        if (entry.route.method == method) match.route = &entry.route;
        match.allowed.push_back(entry.route.method);
    }
    return match;
}

api::ingest::Preparation prepare(Request& request, const Caller&) {
    auto batch = std::make_shared<api::ingest::PreparedBatch>();
    batch->body = std::move(request.body);
    if (batch->body == "two too long, one fine, one wrong") {
        for (const auto code : {engine::FaultCode::too_large, engine::FaultCode::too_large, engine::FaultCode::malformed})
            batch->refused.push_back({0, "", {{code, "", ""}}});
    }
    batch->signals.resize(1);
    return {std::move(batch), {}};
}

Response render(const Request& request, const api::ingest::PreparedBatch&, const api::ingest::CommitOutcome& outcome) {
    if (outcome.state == api::ingest::CommitOutcome::State::committed) return text("stored");
    return api::http::problem(request, api::http::ProblemKind::unavailable, "not stored");
}

}  // namespace

std::optional<Caller> FakeAuthenticator::cached(std::string_view) { return {}; }

api::ports::Outcome<std::optional<Caller>> FakeAuthenticator::authenticate(std::string_view bearer) {
    if (bearer == "broken") return api::ports::Failure{api::ports::FailureCode::unavailable, "no database"};
    const auto scope = bearer == "writer" ? Scope::signals_write : bearer == "reader" || bearer == "other" ? Scope::incidents_read : Scope::none;
    if (scope == Scope::none) return std::optional<Caller>{};
    Caller caller;
    caller.tenant = engine::TenantId{bearer == "other" ? 8 : 7};
    caller.tenant_name = bearer == "other" ? "globex" : "acme";
    caller.key_id = bearer;
    caller.scopes = static_cast<std::uint16_t>(scope);
    return std::optional{caller};
}

class FakeReplies::FakeEffect final : public Effect {
public:
    FakeEffect(FakeReplies& replies, std::string key, Kept kept) : replies_{replies}, key_{std::move(key)}, kept_{std::move(kept)} {}
    std::optional<engine::Position> written() const override { return {}; }
    bool overtaken() const override { return false; }
    api::ports::Outcome<bool> keep(const Response& reply) override {
        const std::lock_guard lock{replies_.mutex_};
        kept_.reply = reply;
        replies_.kept_.emplace(key_, kept_);
        return true;
    }
    void forget() override {}

private:
    FakeReplies& replies_;
    std::string key_;
    Kept kept_;
};

api::ports::Outcome<FakeReplies::Claim> FakeReplies::claim(const Request& request, const Caller& caller, std::string_view bearer) {
    const std::lock_guard lock{mutex_};
    const auto key = caller.key_id + ' ' + request.idempotency_key;
    const auto said = request.target + ' ' + request.body;
    const auto kept = kept_.find(key);
    if (kept == kept_.end()) return Claim{State::run, {}, std::make_unique<FakeEffect>(*this, key, Kept{said, std::string{bearer}, {}})};
    if (kept->second.request != said) return Claim{State::other_request};
    if (kept->second.bearer != bearer) return api::ports::Failure{api::ports::FailureCode::unavailable, "does not open"};
    return Claim{State::answered, kept->second.reply};
}

void FakeSink::submit(engine::TenantId, std::shared_ptr<api::ingest::PreparedBatch> batch, Done done) {
    {
        const std::lock_guard lock{mutex_};
        if (!completes_at_once_) {
            waiting_.emplace_back(batch->body, std::move(done));
            arrived_.notify_all();
            return;
        }
    }
    done({});
}

std::string FakeSink::complete(api::ingest::CommitOutcome::State state) {
    std::unique_lock lock{mutex_};
    arrived_.wait(lock, [&] { return !waiting_.empty(); });
    auto [body, done] = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    lock.unlock();
    done({state, {}});
    return body;
}

void FakeSink::wait_for_one() {
    std::unique_lock lock{mutex_};
    arrived_.wait(lock, [&] { return !waiting_.empty(); });
}

void FakeSink::complete_all() {
    std::vector<std::pair<std::string, Done>> waiting;
    {
        const std::lock_guard lock{mutex_};
        completes_at_once_ = true;
        waiting.swap(waiting_);
    }
    for (auto& [body, done] : waiting) done({});
}

void Turnstile::pass() {
    std::unique_lock lock{mutex_};
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    --waiting_;
}

void Turnstile::wait_for_one() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return waiting_ > 0; });
}

void Turnstile::open() {
    const std::lock_guard lock{mutex_};
    open_ = true;
    changed_.notify_all();
}

ServedFakes::ServedFakes(server::net::HttpLimits limits) : services_{unused_.services()}, log_{server::observe::Level::error} {
    shared_turnstile = &turnstile_;
    shared_count = &count_;
    server::net::HttpServerOptions options;
    options.port = 0;
    options.worker_threads = 4;
    options.limits = limits;
    const server::net::Endpoints endpoints{.find_route = &find,
                                           .prepare = &prepare,
                                           .render = &render,
                                           .metrics = [] { return std::string{"catenary_fake 1\n"}; },
                                           .stalled =
                                               [this] {
                                                   const std::lock_guard lock{mutex_};
                                                   return stalled_;
                                               },
                                           .services = services_,
                                           .authenticator = authenticator_,
                                           .replies = replies_,
                                           .sink = sink_};
    server_ = std::make_unique<server::net::HttpServer>(options, endpoints, log_);
    where_ = server_->start();
}

void ServedFakes::stall(std::string why) {
    const std::lock_guard lock{mutex_};
    stalled_ = std::move(why);
}

ServedFakes::~ServedFakes() {
    turnstile_.open();
    sink_.complete_all();
    server_.reset();
    shared_turnstile = nullptr;
    shared_count = nullptr;
}

std::string request(std::string_view method, std::string_view target, std::string_view key, std::string_view body, std::string_view fields) {
    auto text = fmt::format("{} {} HTTP/1.1\r\nHost: test\r\n{}", method, target, fields);
    if (!key.empty()) text += fmt::format("Authorization: Bearer {}\r\n", key);
    if (!body.empty() || method == "POST") text += fmt::format("Content-Length: {}\r\n", body.size());
    return text + "\r\n" + std::string{body};
}

}  // namespace catenary::tests
