#include "server/net/exchange.hpp"
#include "server/net/inflate.hpp"

#include <fmt/format.h>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

// What is particular to requests that bring signals.

namespace catenary::server::net {
namespace {

using api::http::ProblemKind;
using api::http::Response;
using api::ingest::CommitOutcome;

void say_when(Response& response, std::chrono::seconds wait) {
    for (auto& [name, value] : response.headers) {
        if (name == "Retry-After") value = std::to_string(wait.count());
    }
}

}  // namespace

Exchange::Refusal Exchange::admit_signals() {
    if (auto why = serving_.endpoints.stalled()) {
        serving_.stalled.add(caller_->tenant);
        return problem(ProblemKind::unavailable, *why);
    }
    return over_quota(serving_.rates.admit(*caller_, static_cast<std::int64_t>(body_bytes_), std::chrono::steady_clock::now()));
}

Exchange::Refusal Exchange::spend_quota(const api::ingest::PreparedBatch& batch) {
    return over_quota(serving_.rates.spend(*caller_, static_cast<std::int64_t>(batch.signals.size()), std::chrono::steady_clock::now()));
}

Exchange::Refusal Exchange::over_quota(const std::optional<RateQuotas::Exceeded>& exceeded) const {
    if (!exceeded) return {};
    auto refusal = problem(ProblemKind::too_many_requests, exceeded->detail);
    say_when(refusal, exceeded->wait);
    return refusal;
}

asio::awaitable<Response> Exchange::ingest() {
    api::ingest::Preparation preparation;
    auto start = [this, &preparation](auto handler) {
        // `Done` is copyable, the handler is not.
        auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
        SignalSink::Done done = [waiting](CommitOutcome outcome) {
            const auto strand = asio::get_associated_executor(*waiting);
            asio::post(strand, [waiting, outcome = std::move(outcome)]() mutable { (*waiting)(std::move(outcome)); });
        };
        asio::post(serving_.workers, [this, &preparation, done = std::move(done)]() mutable { prepare_and_submit(preparation, std::move(done)); });
    };
    auto pending = asio::async_initiate<const asio::use_awaitable_t<>, void(CommitOutcome)>(start, asio::use_awaitable);
    const auto outcome = co_await std::move(pending);
    if (outcome.state == CommitOutcome::State::overloaded) serving_.busy.add(caller_->tenant);
    if (preparation.refusal) co_return *std::move(preparation.refusal);
    if (outcome.state == CommitOutcome::State::unknown) {
        Response none;
        none.status = 0;
        co_return none;
    }
    co_return serving_.endpoints.render(request_, *preparation.batch, outcome);
}

Exchange::Refusal Exchange::unpack_body() {
    if (!is_gzip(request_.content_encoding)) return {};
    const auto most = static_cast<std::size_t>(serving_.limits.batch_bytes);
    std::string unpacked;
    switch (inflate_gzip(request_.body, unpacked, most, PaddedBody::padding)) {
        case InflateEnd::complete: break;
        case InflateEnd::corrupt: return problem(ProblemKind::malformed_request, "the body is no valid gzip");
        case InflateEnd::truncated: return problem(ProblemKind::malformed_request, "the body is gzip that ends too early");
        case InflateEnd::too_large: return problem(ProblemKind::too_large, fmt::format("unpacked the body has more than {} bytes", most));
    }
    auto bytes = serving_.in_flight_bytes.take(static_cast<std::int64_t>(unpacked.size()));
    if (!bytes) {
        serving_.busy.add(caller_->tenant);
        return problem(ProblemKind::unavailable, "too many bytes are being received");
    }
    unpacked_permit_ = *std::move(bytes);
    request_.body = std::move(unpacked);
    return {};
}

void Exchange::count_too_large(const api::ingest::Preparation& preparation) {
    const auto exceeds = [](const engine::Fault& fault) { return fault.code == engine::FaultCode::too_large; };
    std::int64_t times = preparation.refusal && preparation.refusal->status == 413 ? 1 : 0;
    if (preparation.batch) {
        for (const auto& item : preparation.batch->refused) times += std::any_of(item.errors.begin(), item.errors.end(), exceeds) ? 1 : 0;
    }
    if (times > 0) serving_.too_large.add(caller_->tenant, times);
}

void Exchange::prepare_and_submit(api::ingest::Preparation& preparation, SignalSink::Done done) {
    try {
        const auto begin = std::chrono::steady_clock::now();
        preparation.refusal = unpack_body();
        if (!preparation.refusal) preparation = serving_.endpoints.prepare(request_, *caller_);
        serving_.counters.prepared(std::chrono::steady_clock::now() - begin);
        count_too_large(preparation);
        if (!preparation.refusal) preparation.refusal = spend_quota(*preparation.batch);
        if (!preparation.refusal) {
            serving_.endpoints.sink.submit(caller_->tenant, preparation.batch, std::move(done));
            return;
        }
    } catch (const std::exception& failure) {
        preparation.refusal = failed(failure.what());
    }
    done({});
}

}  // namespace catenary::server::net
