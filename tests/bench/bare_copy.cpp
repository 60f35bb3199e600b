#include "tests/bench/bare_copy.hpp"

#include "server/ingest/copy_encoder.hpp"
#include "server/ingest/group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace catenary::bench {

double bare_copy(server::PqConnection& connection, const std::vector<std::shared_ptr<api::ingest::PreparedBatch>>& requests) {
    constexpr std::size_t statement_rows = 5'000;
    constexpr std::size_t piece_bytes = 128U << 10U;
    connection.run("DROP TABLE IF EXISTS bench_bare; CREATE TABLE bench_bare (LIKE signal)");
    server::CopyEncoder encoder;
    server::Digester digester{server::DigestKey{}};
    std::vector<server::RequestDigests> digests;
    for (const auto& request : requests) digests.push_back(server::digest_request(digester, engine::TenantId{1}, *request));
    const std::vector<std::int64_t> entities(64, 12'345);
    const auto begin = std::chrono::steady_clock::now();
    std::size_t in_statement = 0;
    std::int64_t position = 1;
    const auto statement = fmt::format("COPY bench_bare ({}) FROM STDIN (FORMAT binary)", server::copy_columns());
    const auto finish = [&] {
        encoder.end();
        connection.copy_send(encoder.bytes());
        connection.copy_end();
        in_statement = 0;
    };
    for (std::size_t r = 0; r < requests.size(); ++r) {
        for (std::size_t i = 0; i < requests[r]->signals.size(); ++i) {
            if (in_statement == 0) {
                connection.copy_in(statement);
                encoder.clear();
                encoder.begin();
            }
            encoder.row(requests[r]->signals[i], digests[r].signals[i], engine::TenantId{1}, engine::Position{position++}, requests[r]->signals[i].time, 1, 1,
                        entities.data());
            if (encoder.bytes().size() > piece_bytes) {
                connection.copy_send(encoder.bytes());
                encoder.clear();
            }
            if (++in_statement == statement_rows) finish();
        }
    }
    if (in_statement > 0) finish();
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    connection.run("DROP TABLE bench_bare");
    return took;
}

std::shared_ptr<api::ingest::PreparedBatch> prepared_request(std::string body) {
    api::http::Request request;
    request.method = api::http::Method::post;
    request.content_type = "application/x-ndjson";
    request.body = std::move(body);
    const auto now = std::chrono::floor<engine::Duration>(std::chrono::system_clock::now());
    auto preparation = api::ingest::prepare(request, api::Caller{}, now, api::ingest::IngestLimits{});
    if (preparation.batch == nullptr || !preparation.batch->refused.empty()) throw std::runtime_error("the generator makes bad signals");
    return preparation.batch;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

}  // namespace catenary::bench
