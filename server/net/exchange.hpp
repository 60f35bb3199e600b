#pragma once

#include "api/http/problem.hpp"
#include "api/http/request.hpp"
#include "api/ports/caller.hpp"
#include "server/net/connection.hpp"
#include "server/net/reply.hpp"
#include "server/net/serving.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string_view>

namespace catenary::server::net {

/// How one request ended.
struct Answer {
    Answer() = default;
    Answer(api::http::Response r, AfterReply a) : response{std::move(r)}, after{a} {}
    api::http::Response response;  ///< status 0: no reply, close
    AfterReply after = AfterReply::keep_alive;
};

/// One request from its examined head to its answer: route, credentials, body, handler. Lives on its connection's strand.
class Exchange {
public:
    /// Of a head that the connection has accepted. Copies what it needs of it.
    Exchange(Serving& serving, Connection& connection, const RequestHead& head);

    /// Never throws what a handler threw: that is logged and becomes 500.
    asio::awaitable<Answer> answer();

    /// Gives back the places and the body: whoever has read a reply may rely on its places being free.
    void release();

    const api::http::Request& request() const { return request_; }
    std::uint64_t body_bytes() const { return body_bytes_; }
    HttpCounters::Kind kind() const { return is_ingest_ ? HttpCounters::Kind::ingest : HttpCounters::Kind::other; }
    const std::optional<api::Caller>& caller() const { return caller_; }
    /// "" until the caller is known.
    std::string_view tenant() const { return caller_ ? std::string_view{caller_->tenant_name} : std::string_view{}; }

private:
    using Refusal = std::optional<api::http::Response>;
    Refusal find_route();
    /// Before the body is read, which the fields do not outlive.
    void keep_hook_headers();
    Refusal check_body() const;
    /// The key is taken where something is made, and refused where it would mean nothing.
    Refusal check_idempotency_key() const;
    /// Takes our share of what the server does at once.
    Refusal take_place();
    Refusal take_permit();
    asio::awaitable<Refusal> find_caller();
    api::ports::Outcome<std::optional<api::Caller>> authenticate() const;
    /// Of a request with signals: what forbids them now, the server's state or a quota.
    Refusal admit_signals();
    Refusal spend_quota(const api::ingest::PreparedBatch& batch);
    Refusal over_quota(const std::optional<RateQuotas::Exceeded>& exceeded) const;
    asio::awaitable<std::optional<Answer>> read_body();
    /// The answer to a request whose body was not read: what little there is of it is skipped, else the connection ends.
    asio::awaitable<Answer> refuse(api::http::Response response);
    asio::awaitable<api::http::Response> handle();
    asio::awaitable<api::http::Response> ingest();
    /// Worker threads: a gzip body becomes what it stands for.
    Refusal unpack_body();
    void count_too_large(const api::ingest::Preparation& preparation);
    void prepare_and_submit(api::ingest::Preparation& preparation, SignalSink::Done done);
    api::http::Response run_handler() const;
    api::http::Response metrics() const;
    api::http::Response problem(api::http::ProblemKind kind, std::string_view detail) const;
    api::http::Response failed(std::string_view what) const;

    Serving& serving_;
    Connection& connection_;
    const std::uint64_t body_bytes_;
    const bool expects_continue_;
    bool has_idempotency_key_ = false;  ///< perhaps an empty one
    const AfterReply after_;
    std::string bearer_;               // "" when no usable Authorization came
    api::http::Method routed_method_;  // GET for HEAD
    api::http::Request request_;
    const api::Route* route_ = nullptr;
    bool is_ingest_ = false;
    std::optional<api::Caller> caller_;
    Quota::Permit request_permit_;
    Quota::Permit share_permit_;
    Quota::Permit bytes_permit_;     // of the body as sent
    Quota::Permit unpacked_permit_;  // of what it unpacked to
};

}  // namespace catenary::server::net
