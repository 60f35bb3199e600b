#include "tests/api/ingest/posting.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <utility>

using namespace catenary;
using api::ingest::CommitOutcome;
using api::ingest::ItemOutcome;
using api::ingest::ItemStatus;
using api::ingest::render;
using tests::post;
using tests::prepared;
using tests::signal_with;
using Json = nlohmann::json;

namespace {

const engine::Faults conflict_faults{{engine::FaultCode::conflict, "/id", "other content is stored under this source and id"}};

struct Answer {
    int status;
    Json body;
    api::http::Response response;
};

Answer answer(const api::http::Request& request, std::vector<ItemOutcome> items) {
    const auto preparation = prepared(request);
    REQUIRE(preparation.batch != nullptr);
    auto response = render(request, *preparation.batch, {CommitOutcome::State::committed, std::move(items)});
    return {response.status, Json::parse(response.body), response};
}

ItemOutcome accepted(bool late = false) { return {ItemStatus::accepted, late, {}, false}; }
ItemOutcome duplicate() { return {ItemStatus::duplicate, false, {}, false}; }
ItemOutcome conflict() { return {ItemStatus::conflict, false, conflict_faults, false}; }
ItemOutcome store_refused() { return {ItemStatus::accepted, false, {{engine::FaultCode::out_of_range, "/time", "too many new days"}}, true}; }

std::string lines(int count) {
    std::string body;
    for (int i = 0; i < count; ++i) body += signal_with("\"id\":\"s-" + std::to_string(i) + "\"") + "\n";
    return body;
}

}  // namespace

TEST_CASE("a single signal is answered 201 when made, 200 when repeated") {
    const auto request = post(signal_with(R"("id":"a/b %")"));
    const auto made = answer(request, {accepted()});
    CHECK(made.status == 201);
    CHECK(made.body == Json{{"index", 0}, {"id", "a/b %"}, {"status", "accepted"}});
    REQUIRE(made.response.headers.size() == 1);
    CHECK(made.response.headers[0] == std::pair<std::string, std::string>{"Location", "/api/v1/signals/entra_id/a%2Fb%20%25"});
    const auto again = answer(request, {duplicate()});
    CHECK(again.status == 200);
    CHECK(again.body["status"] == "duplicate");
}

TEST_CASE("a single signal that is refused is a problem with the item in it") {
    const auto other = answer(post(signal_with(R"("id":"x")")), {conflict()});
    CHECK(other.status == 409);
    CHECK(other.response.content_type == "application/problem+json");
    CHECK(other.body["type"] == "urn:catenary:problem:conflict");
    CHECK(other.body["item"]["status"] == "conflict");
    CHECK(other.body["item"]["id"] == "x");
    CHECK(other.body["request_id"] == "r-1");

    const auto bad = answer(post(signal_with(R"("confidence":2)")), {});
    CHECK(bad.status == 422);
    CHECK(bad.response.content_type == "application/problem+json");
    CHECK(bad.body["errors"][0]["pointer"] == "/confidence");
    CHECK(bad.body["errors"][0]["code"] == "out_of_range");
    CHECK(bad.body["item"]["status"] == "rejected");
    CHECK(bad.body["item"]["id"].is_null());
    CHECK(bad.body["item"]["errors"] == bad.body["errors"]);

    CHECK(answer(post(signal_with("")), {store_refused()}).status == 422);
}

TEST_CASE("a batch is answered with counts, and refused items by their place") {
    const auto all_taken = answer(post(lines(3), "application/x-ndjson"), {accepted(), accepted(true), duplicate()});
    CHECK(all_taken.status == 200);
    CHECK(all_taken.body == Json{{"accepted", 2}, {"duplicates", 1}, {"conflicts", 0}, {"rejected", 0}, {"late", 1}, {"items", Json::array()}});

    const auto body = signal_with(R"("id":"bad","count":0)") + "\n" + lines(4) + "{\n";
    const auto mixed = answer(post(body, "application/x-ndjson"), {accepted(), conflict(), duplicate(), store_refused()});
    CHECK(mixed.status == 207);
    CHECK(mixed.response.content_type == "application/json");
    CHECK(mixed.body["accepted"] == 1);
    CHECK(mixed.body["duplicates"] == 1);
    CHECK(mixed.body["conflicts"] == 1);
    CHECK(mixed.body["rejected"] == 3);
    std::vector<std::string> seen;
    for (const auto& item : mixed.body["items"])
        seen.push_back(item["index"].dump() + item["status"].get<std::string>() + item["errors"][0]["pointer"].get<std::string>());
    CHECK(seen == std::vector<std::string>{"0rejected/count", "2conflict/id", "4rejected/time", "5rejected"});
    CHECK(mixed.body["items"][0]["id"] == "bad");
}

TEST_CASE("a batch of which nothing was kept is 422, an empty one 200, and one line is a batch") {
    CHECK(answer(post(lines(2), "application/x-ndjson"), {conflict(), conflict()}).status == 422);
    CHECK(answer(post("[1,2]"), {}).status == 422);
    CHECK(answer(post("[]"), {}).status == 200);
    CHECK(answer(post(lines(1), "application/x-ndjson"), {accepted()}).body["accepted"] == 1);
    CHECK(answer(post(lines(1), "application/x-ndjson"), {conflict()}).status == 422);
}

TEST_CASE("results=all lists every item") {
    auto request = post("[" + signal_with(R"("id":"a")") + ",7," + signal_with(R"("id":"b")") + "]");
    request.query = {{"results", "all"}};
    const auto all = answer(request, {accepted(), duplicate()});
    CHECK(all.status == 207);
    REQUIRE(all.body["items"].size() == 3);
    CHECK(all.body["items"][0] == Json{{"index", 0}, {"id", "a"}, {"status", "accepted"}});
    CHECK(all.body["items"][1]["status"] == "rejected");
    CHECK(all.body["items"][2]["status"] == "duplicate");
}

TEST_CASE("nothing stored is 503 with Retry-After and its cause") {
    const auto request = post(signal_with(""));
    const auto preparation = prepared(request);
    const std::pair<CommitOutcome::State, std::string> causes[] = {
        {CommitOutcome::State::overloaded, "the server has more to store than it can; nothing of this request was stored"},
        {CommitOutcome::State::unavailable, "the database cannot be reached; nothing of this request was stored"},
        {CommitOutcome::State::storage_full, "the database has no room left on its disk; nothing of this request was stored"},
        {CommitOutcome::State::failed, "the database failed the transaction; nothing of this request was stored"}};
    for (const auto& [state, detail] : causes) {
        const auto response = render(request, *preparation.batch, {state, {}});
        CHECK(response.status == 503);
        CHECK(response.headers[0].first == "Retry-After");
        CHECK(Json::parse(response.body)["detail"] == detail);
    }
}
