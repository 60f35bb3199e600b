#include "server/net/answer_once.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

using namespace catenary;
using api::http::Response;
using api::ports::FailureCode;
using server::net::RememberedReplies;

namespace {

/// Claims that come one after another, and what was done with their effects.
struct Script final : RememberedReplies {
    struct Step {
        State state = State::run;
        std::optional<engine::Position> written = std::nullopt;
        bool overtaken = false;
        std::optional<FailureCode> keeps_not = std::nullopt;
    };
    struct Played final : Effect {
        Played(Script& of, Step of_step) : script{of}, step{of_step} {}
        std::optional<engine::Position> written() const override { return step.written; }
        bool overtaken() const override { return step.overtaken; }
        api::ports::Outcome<bool> keep(const Response&) override {
            if (step.keeps_not) return api::ports::Failure{*step.keeps_not, "not kept"};
            ++script.kept;
            return true;
        }
        void forget() override { ++script.forgotten; }
        Script& script;
        Step step;
    };
    api::ports::Outcome<Claim> claim(const api::http::Request&, const api::Caller&, std::string_view) override {
        const auto step = steps.at(claims++);
        if (step.state == State::answered) return Claim{step.state, Response{201, "text/plain", {}, "first"}};
        if (step.state != State::run) return Claim{step.state};
        return Claim{step.state, {}, std::make_unique<Played>(*this, step)};
    }
    explicit Script(std::vector<Step> played) : steps{std::move(played)} {}
    std::vector<Step> steps;
    std::size_t claims = 0;
    int kept = 0, forgotten = 0, runs = 0;
    bool repeated = false;

    Response answer(int status) {
        return server::net::answer_once(*this, {}, {}, "secret", [&](const api::Caller& caller) {
            ++runs;
            repeated = caller.repeats();
            return Response{status, "text/plain", {}, "run"};
        });
    }
};
using State = RememberedReplies::State;

}  // namespace

TEST_CASE("success is kept, refusal frees the key, and what nobody knows is left as it is") {
    const std::pair<int, std::pair<int, int>> cases[] = {{200, {1, 0}}, {201, {1, 0}}, {202, {1, 0}}, {409, {0, 1}},
                                                         {422, {0, 1}}, {500, {0, 0}}, {503, {0, 0}}, {0, {0, 0}}};
    for (const auto& [status, expected] : cases) {
        CAPTURE(status);
        Script script{{{}}};
        CHECK(script.answer(status).status == status);
        CHECK(std::pair{script.kept, script.forgotten} == expected);
        CHECK(script.runs == 1);
        CHECK_FALSE(script.repeated);
    }
}

TEST_CASE("a request that took effect is run for its reply") {
    Script script{{{State::run, engine::Position{7}}}};
    CHECK(script.answer(201).body == "run");
    CHECK(script.repeated);
    CHECK(script.kept == 1);
}

TEST_CASE("what is recorded and not yet in force is not remembered as such: its entry is committed, and leads to another reply") {
    Script script{{{State::run, engine::Position{7}}}};
    CHECK(script.answer(202).status == 202);
    CHECK(script.kept == 0);
    CHECK(script.forgotten == 0);
}

TEST_CASE("a run that was overtaken is answered with the reply of the faster one") {
    Script script{{{State::run, {}, true}, {State::answered}}};
    const auto reply = script.answer(409);
    CHECK(reply.body == "first");
    CHECK(reply.headers.back() == std::pair<std::string, std::string>{"Idempotency-Replayed", "true"});
    CHECK(script.forgotten == 0);
}

TEST_CASE("runs that are overtaken again and again end") {
    Script script{{{State::run, {}, true}, {State::run, {}, true}, {State::run, {}, true}}};
    CHECK(script.answer(201).status == 503);
    CHECK(script.runs == 3);
}

TEST_CASE("a reply that is not committed is not given") {
    Script script{{{State::run, {}, false, FailureCode::unavailable}}};
    CHECK(script.answer(201).status == 503);
    Script lost{{{State::run, {}, false, FailureCode::outcome_unknown}}};
    CHECK(lost.answer(201).status == 0);
}

TEST_CASE("a key of another request, and keys without end") {
    Script other{{{State::other_request}}};
    CHECK(other.answer(201).status == 422);
    Script full{{{State::full}}};
    CHECK(full.answer(201).status == 429);
    CHECK(other.runs + full.runs == 0);
}
