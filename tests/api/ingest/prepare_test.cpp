#include "tests/api/ingest/posting.hpp"

#include <doctest/doctest.h>

using namespace catenary;
using engine::FaultCode;
using tests::post;
using tests::prepared;
using tests::signal_with;
using Views = std::vector<std::string_view>;

namespace {

/// The one signal of a body that holds one.
struct One {
    explicit One(const std::string& body) : preparation{prepared(post(body))} {
        REQUIRE(preparation.batch != nullptr);
        for (const auto& refused : preparation.batch->refused) {
            for (const auto& fault : refused.errors) FAIL_CHECK(fault.pointer << " " << fault.detail);
        }
        REQUIRE(preparation.batch->signals.size() == 1);
    }
    const api::ingest::PreparedSignal& signal() const { return preparation.batch->signals.front(); }
    api::ingest::Preparation preparation;
};

}  // namespace

TEST_CASE("a complete signal is read as it was posted") {
    const One one{R"({"id":"aad-7f3","source":"entra_id","time":"2026-03-05T22:47:11Z","domain":"identity","name":"unfamiliar_location_signin",
      "title":"Sign-in from an unfamiliar location","tactics":["TA0003","TA0001","TA0003"],"techniques":["T1564.008","T1078"],"severity":"medium",
      "confidence":0.35,"count":3,"entities":[{"kind":"account","value":"J.Morrison@ne.example","role":"actor"},
      {"kind":"ip","value":"203.0.113.7","role":"source"}],"attributes":{"country" : "RO", "list":[1, 2 ,{"x":null}]}} )"};
    const auto& signal = one.signal();
    CHECK(one.preparation.batch->single);
    CHECK(signal.index == 0);
    CHECK(signal.id == "aad-7f3");
    CHECK(signal.source == "entra_id");
    CHECK(api::json::format_time(signal.time) == "2026-03-05T22:47:11Z");
    CHECK(signal.domain == "identity");
    CHECK(signal.name == "unfamiliar_location_signin");
    CHECK(signal.title == "Sign-in from an unfamiliar location");
    CHECK(Views{signal.tactics.begin(), signal.tactics.end()} == Views{"TA0001", "TA0003"});
    CHECK(Views{signal.techniques.begin(), signal.techniques.end()} == Views{"T1078", "T1564.008"});
    CHECK(signal.severity == engine::Severity::medium);
    CHECK(signal.confidence == 0.35);
    CHECK(signal.count == 3);
    REQUIRE(signal.entities.size() == 2);
    CHECK(signal.entities[0].kind == "account");
    CHECK(signal.entities[0].value == "j.morrison@ne.example");
    CHECK(signal.entities[0].role == "actor");
    CHECK(signal.entities[1].value == "203.0.113.7");
    CHECK(signal.attributes == R"({"country":"RO","list":[1,2,{"x":null}]})");
    CHECK(signal.shown == R"({"values":{"0":"J.Morrison@ne.example"}})");
    CHECK(signal.aliases.empty());
}

TEST_CASE("what a sender leaves out has its documented value") {
    const One one{signal_with("")};
    const auto& signal = one.signal();
    CHECK(signal.severity == engine::Severity::informational);
    CHECK(signal.confidence == 0.1);
    CHECK(signal.count == 1);
    CHECK(signal.title.empty());
    CHECK(signal.tactics.empty());
    CHECK(signal.entities.empty());
    CHECK(signal.attributes.empty());
    CHECK(signal.shown.empty());
    CHECK(One{signal_with(R"("attributes":{ })")}.signal().attributes.empty());
}

TEST_CASE("an id is derived from the content alone") {
    const One first{signal_with(R"("attributes":{"b":1,"a":[1.50,"\u00e9"]})")};
    CHECK(first.signal().id.size() == 34);
    CHECK(first.signal().id.starts_with("c-"));
    CHECK(One{R"({"name":"sign_in","attributes":{"a":[1.5,"é"],"b":1.0},"domain":"identity","source":"entra_id","time":"2026-03-05T23:47:11+01:00"})"}
              .signal()
              .id == first.signal().id);
    CHECK(One{signal_with(R"("attributes":{"b":2,"a":[1.50,"\u00e9"]})")}.signal().id != first.signal().id);
    CHECK(One{signal_with(R"("count":2)")}.signal().id != One{signal_with(R"("count":3)")}.signal().id);
}

TEST_CASE("entities keep their order, each (kind, value) once, and their original spelling") {
    const One one{signal_with(R"("entities":[{"kind":"account","value":"CORP\\Alice"},{"kind":"ip","value":"2001:DB8::1","role":"source"},
        {"kind":"account","value":"corp\\alice","role":"actor"},{"kind":"widget","value":"x\ty"},{"kind":"account","value":"root"}])")};
    const auto& entities = one.signal().entities;
    REQUIRE(entities.size() == 4);
    CHECK(entities[0].value == "corp\\alice");
    CHECK(entities[0].role == "actor");
    CHECK(entities[1].value == "2001:db8::1");
    CHECK(entities[2].kind == "widget");
    CHECK(entities[2].value == "x\ty");
    CHECK_FALSE(entities[3].identifies);
    CHECK(one.signal().shown == R"({"values":{"0":"CORP\\Alice","1":"2001:DB8::1"}})");
}

TEST_CASE("aliases are checked and kept by the place of their entity") {
    const One one{signal_with(R"("entities":[{"kind":"ip","value":"10.0.0.1"},
        {"kind":"host","value":"ws1","aliases":[{"value":"WS1.ne.example","kind":"host"}, {"kind":"ip","value":"10.0.0.7"}]}])")};
    CHECK(one.signal().aliases == R"({"1":[{"kind":"host","value":"WS1.ne.example"},{"kind":"ip","value":"10.0.0.7"}]})");
}

TEST_CASE("text of the request may hold any character but NUL") {
    const One one{signal_with(R"("title":"\"\\\/\b\f\n\r\t\u00fc\ud83d\ude00 ü😀\u007f")")};
    CHECK(one.signal().title == "\"\\/\b\f\n\r\tü😀 ü😀\x7f");
}

TEST_CASE("a list and lines give one item each, counted from 0") {
    const auto a = signal_with(R"("id":"a")");
    const auto b = signal_with(R"("id":"b")");
    for (const auto& request : {post("[" + a + "," + b + "]"), post(" [ " + a + " ,\n " + b + " ] "), post(a + "\n" + b, "application/x-ndjson"),
                                post("\r\n" + a + "\r\n\n  \t\n " + b + " \r\n\r\n", "application/x-ndjson"), post("[" + a + "," + b + "]", "")}) {
        CAPTURE(request.body);
        const auto preparation = prepared(request);
        REQUIRE(preparation.batch != nullptr);
        REQUIRE(preparation.batch->signals.size() == 2);
        CHECK(preparation.batch->refused.empty());
        CHECK(preparation.batch->signals[0].id == "a");
        CHECK(preparation.batch->signals[1].id == "b");
        CHECK(preparation.batch->signals[1].index == 1);
        CHECK_FALSE(preparation.batch->single);
    }
    CHECK(prepared(post("[]")).batch->signals.empty());
    CHECK(prepared(post("", "application/x-ndjson")).batch->signals.empty());
    CHECK_FALSE(prepared(post(a, "application/x-ndjson")).batch->single);
}

TEST_CASE("a key with a source list posts for these sources only") {
    api::Caller caller;
    caller.sources = {"entra_id", "edr"};
    CHECK(prepared(post(signal_with("")), caller).batch->signals.size() == 1);
    const auto other = prepared(post(signal_with(R"("source":"proxy")")), caller);
    REQUIRE(other.batch->refused.size() == 1);
    CHECK(other.batch->refused[0].errors[0].pointer == "/source");
}

TEST_CASE("times up to five minutes ahead are taken, later ones and those before 1990 refused") {
    CHECK(prepared(post(signal_with(R"("time":"2026-03-05T23:05:00Z")"))).batch->signals.size() == 1);
    CHECK(prepared(post(signal_with(R"("time":"2026-03-05T23:05:00.000001Z")"))).batch->refused.size() == 1);
    CHECK(prepared(post(signal_with(R"("time":"1990-01-01T00:00:00Z")"))).batch->signals.size() == 1);
    CHECK(prepared(post(signal_with(R"("time":"1989-12-31T23:59:59Z")"))).batch->refused.size() == 1);
}

TEST_CASE("the limits of a request and of a signal are inclusive") {
    const auto padded = [](std::size_t bytes) {
        auto text = signal_with(R"("attributes":{"x":"")");
        text.insert(text.size() - 2, std::string(bytes - text.size() - 1, 'a'));
        return text.substr(0, text.size() - 2) + "\"}}";
    };
    std::string full = padded(64 * 1024);
    REQUIRE(full.size() == 64 * 1024);
    const std::string over = padded(64 * 1024 + 1);
    CHECK(prepared(post(full)).batch->signals.size() == 1);
    CHECK(prepared(post(over)).batch->refused[0].errors[0].code == FaultCode::too_large);
    const auto lines = prepared(post(full + "\n" + over, "application/x-ndjson"));
    CHECK(lines.batch->signals.size() == 1);
    REQUIRE(lines.batch->refused.size() == 1);
    CHECK(lines.batch->refused[0].index == 1);
    const auto list = prepared(post("[ " + full + " ,\n" + over + " ]"));
    CHECK(list.batch->signals.size() == 1);
    REQUIRE(list.batch->refused.size() == 1);
    CHECK(list.batch->refused[0].errors[0].pointer.empty());

    std::string thousand;
    for (int i = 0; i < 1000; ++i) thousand += signal_with("\"id\":\"" + std::to_string(i) + "\"") + "\n";
    CHECK(prepared(post(thousand + "\n", "application/x-ndjson")).batch->signals.size() == 1000);
    const auto more = prepared(post(thousand + "x", "application/x-ndjson"));
    REQUIRE(more.refusal.has_value());
    CHECK(more.refusal->status == 413);
    std::string list_of_more = "[1";
    for (int i = 0; i < 1000; ++i) list_of_more += ",1";
    CHECK(prepared(post(list_of_more + "]")).refusal->status == 413);
}

TEST_CASE("content types and query parameters that nobody reads are refused") {
    CHECK(prepared(post(signal_with(""), "text/plain")).refusal->status == 415);
    CHECK(prepared(post(signal_with(""), "application/x-www-form-urlencoded")).refusal->status == 415);
    auto request = post(signal_with(""));
    request.query = {{"results", "all"}};
    CHECK_FALSE(prepared(request).refusal.has_value());
    request.query = {{"results", "some"}};
    CHECK(prepared(request).refusal->status == 400);
    request.query = {{"dry_run", "true"}};
    CHECK(prepared(request).refusal->status == 400);
}
