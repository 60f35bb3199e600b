#include "tests/api/ingest/posting.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace catenary;
using engine::FaultCode;
using tests::post;
using tests::prepared;
using tests::signal_with;

namespace {

std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
}

struct BadItem {
    std::string name;
    std::string body;
    std::string pointer;
    FaultCode code;
};

const std::vector<BadItem>& bad_items() {
    static const std::vector<BadItem> table{
        {"no source", R"({"time":"2026-03-05T22:47:11Z","domain":"d","name":"n"})", "/source", FaultCode::missing},
        {"no time", R"({"source":"s","domain":"d","name":"n"})", "/time", FaultCode::missing},
        {"no domain", R"({"source":"s","time":"2026-03-05T22:47:11Z","name":"n"})", "/domain", FaultCode::missing},
        {"no name", R"({"source":"s","time":"2026-03-05T22:47:11Z","domain":"d"})", "/name", FaultCode::missing},
        {"unknown member", signal_with(R"("colour":{"deep":[1]})"), "/colour", FaultCode::unknown_field},
        {"misspelt member", signal_with(R"("Title":"x")"), "/Title", FaultCode::unknown_field},
        {"repeated member", signal_with(R"("count":1,"count":1)"), "/count", FaultCode::conflict},
        {"repeated by escape", signal_with(R"("count":1,"\u0063ount":1)"), "/count", FaultCode::conflict},
        {"id number", signal_with(R"("id":7)"), "/id", FaultCode::wrong_type},
        {"id null", signal_with(R"("id":null)"), "/id", FaultCode::wrong_type},
        {"id empty", signal_with(R"("id":"")"), "/id", FaultCode::out_of_range},
        {"id line break", signal_with(R"("id":"a\nb")"), "/id", FaultCode::malformed},
        {"id outer blank", signal_with(R"("id":" a")"), "/id", FaultCode::malformed},
        {"id long", signal_with("\"id\":\"" + std::string(513, 'x') + "\""), "/id", FaultCode::too_large},
        {"source reserved", signal_with(R"("source":"catenary")"), "/source", FaultCode::out_of_range},
        {"source reserved by escape", signal_with(R"("source":"c\u0061tenary")"), "/source", FaultCode::out_of_range},
        {"source long", signal_with("\"source\":\"" + std::string(129, 'x') + "\""), "/source", FaultCode::too_large},
        {"domain spelling", signal_with(R"("domain":"Identity")"), "/domain", FaultCode::malformed},
        {"domain blank", signal_with(R"("domain":"cloud app")"), "/domain", FaultCode::malformed},
        {"name list", signal_with(R"("name":["a"])"), "/name", FaultCode::wrong_type},
        {"title empty", signal_with(R"("title":"")"), "/title", FaultCode::out_of_range},
        {"time number", signal_with(R"("time":1772750831)"), "/time", FaultCode::wrong_type},
        {"time local", signal_with(R"("time":"2026-03-05T22:47:11")"), "/time", FaultCode::malformed},
        {"time impossible", signal_with(R"("time":"2026-02-30T22:47:11Z")"), "/time", FaultCode::malformed},
        {"time ahead", signal_with(R"("time":"2026-03-06T22:47:11Z")"), "/time", FaultCode::out_of_range},
        {"time 1970", signal_with(R"("time":"1970-01-01T00:00:00Z")"), "/time", FaultCode::out_of_range},
        {"tactic spelling", signal_with(R"("tactics":["TA0001","initial-access"])"), "/tactics/1", FaultCode::malformed},
        {"tactic digits", signal_with(R"("tactics":["TA00001"])"), "/tactics/0", FaultCode::malformed},
        {"tactics string", signal_with(R"("tactics":"TA0001")"), "/tactics", FaultCode::wrong_type},
        {"tactics many", signal_with("\"tactics\":[" + repeated("\"TA0001\",", 32) + "\"TA0001\"]"), "/tactics/32", FaultCode::too_large},
        {"technique sub", signal_with(R"("techniques":["T1078.04"])"), "/techniques/0", FaultCode::malformed},
        {"technique lower", signal_with(R"("techniques":["t1078"])"), "/techniques/0", FaultCode::malformed},
        {"technique number", signal_with(R"("techniques":[1078])"), "/techniques/0", FaultCode::wrong_type},
        {"severity word", signal_with(R"("severity":"critical")"), "/severity", FaultCode::out_of_range},
        {"severity spelling", signal_with(R"("severity":"High")"), "/severity", FaultCode::out_of_range},
        {"confidence above", signal_with(R"("confidence":1.5)"), "/confidence", FaultCode::out_of_range},
        {"confidence below", signal_with(R"("confidence":-0.1)"), "/confidence", FaultCode::out_of_range},
        {"confidence text", signal_with(R"("confidence":"0.5")"), "/confidence", FaultCode::wrong_type},
        {"confidence true", signal_with(R"("confidence":true)"), "/confidence", FaultCode::wrong_type},
        {"confidence infinite", signal_with(R"("confidence":1e999)"), "/confidence", FaultCode::out_of_range},
        {"count zero", signal_with(R"("count":0)"), "/count", FaultCode::out_of_range},
        {"count fraction", signal_with(R"("count":1.5)"), "/count", FaultCode::out_of_range},
        {"count exponent", signal_with(R"("count":1e3)"), "/count", FaultCode::out_of_range},
        {"count huge", signal_with(R"("count":1000000001)"), "/count", FaultCode::out_of_range},
        {"count beyond 64 bits", signal_with(R"("count":99999999999999999999)"), "/count", FaultCode::out_of_range},
        {"count infinite", signal_with(R"("count":1e999)"), "/count", FaultCode::out_of_range},
        {"entities object", signal_with(R"("entities":{"kind":"ip","value":"1.2.3.4"})"), "/entities", FaultCode::wrong_type},
        {"entity string", signal_with(R"("entities":["1.2.3.4"])"), "/entities/0", FaultCode::wrong_type},
        {"entity without kind", signal_with(R"("entities":[{"value":"x"}])"), "/entities/0/kind", FaultCode::missing},
        {"entity without value", signal_with(R"("entities":[{"kind":"ip","value":"1.2.3.4"},{"kind":"ip"}])"), "/entities/1/value", FaultCode::missing},
        {"entity kind spelling", signal_with(R"("entities":[{"kind":"IP","value":"1.2.3.4"}])"), "/entities/0/kind", FaultCode::malformed},
        {"entity value blank", signal_with(R"("entities":[{"kind":"widget","value":"  "}])"), "/entities/0/value", FaultCode::malformed},
        {"entity value long", signal_with("\"entities\":[{\"kind\":\"file\",\"value\":\"" + std::string(513, 'x') + "\"}]"), "/entities/0/value",
         FaultCode::too_large},
        {"entity member", signal_with(R"("entities":[{"kind":"ip","value":"1.2.3.4","tag":1}])"), "/entities/0/tag", FaultCode::unknown_field},
        {"entity repeat", signal_with(R"("entities":[{"kind":"ip","value":"1.2.3.4","kind":"ip"}])"), "/entities/0/kind", FaultCode::conflict},
        {"entity role", signal_with(R"("entities":[{"kind":"ip","value":"1.2.3.4","role":""}])"), "/entities/0/role", FaultCode::out_of_range},
        {"entities many", signal_with("\"entities\":[" + repeated(R"({"kind":"ip","value":"1.2.3.4"},)", 32) + R"({"kind":"ip","value":"1.2.3.4"}])"),
         "/entities/32", FaultCode::too_large},
        {"alias string", signal_with(R"("entities":[{"kind":"host","value":"a","aliases":["b"]}])"), "/entities/0/aliases/0", FaultCode::wrong_type},
        {"alias without value", signal_with(R"("entities":[{"kind":"host","value":"a","aliases":[{"kind":"ip"}]}])"), "/entities/0/aliases/0/value",
         FaultCode::missing},
        {"aliases many",
         signal_with("\"entities\":[{\"kind\":\"host\",\"value\":\"a\",\"aliases\":[" + repeated(R"({"kind":"ip","value":"1.2.3.4"},)", 15) +
                     R"({"kind":"ip","value":"1.2.3.4"}]}])"),
         "/entities/0/aliases/15", FaultCode::too_large},
        {"attributes list", signal_with(R"("attributes":[1])"), "/attributes", FaultCode::wrong_type},
        {"attributes null", signal_with(R"("attributes":null)"), "/attributes", FaultCode::wrong_type},
        {"attributes repeat", signal_with(R"("attributes":{"a":{"x":1,"y":2,"x":3}})"), "/attributes/a/x", FaultCode::conflict},
        {"attributes repeat by escape", signal_with(R"("attributes":{"x":1,"\u0078":3})"), "/attributes/x", FaultCode::conflict},
        {"NUL", signal_with(R"("attributes":{"a":["x\u0000"]})"), "/attributes/a/0", FaultCode::malformed},
        {"NUL in a name", signal_with(R"("attributes":{"x\u0000":1})"), "/attributes/x", FaultCode::malformed},
        {"NUL in the id", signal_with(R"("id":"x\u0000")"), "/id", FaultCode::malformed},
        {"lone high surrogate", signal_with(R"("title":"\ud800")"), "/title", FaultCode::malformed},
        {"lone low surrogate", signal_with(R"("title":"\udc00")"), "/title", FaultCode::malformed},
        {"swapped surrogates", signal_with(R"("attributes":{"a":"\udc00\ud800"})"), "/attributes/a", FaultCode::malformed},
        {"unknown escape", signal_with(R"("title":"\x41")"), "/title", FaultCode::malformed},
        {"short escape", signal_with(R"("title":"\u12")"), "/title", FaultCode::malformed},
        {"infinite attribute", signal_with(R"("attributes":{"a":-1e999})"), "/attributes/a", FaultCode::out_of_range},
        {"inexact attribute", signal_with(R"("attributes":{"a":[9007199254740993]})"), "/attributes/a/0", FaultCode::out_of_range},
        {"deep attributes", signal_with("\"attributes\":{\"a\":" + repeated("[", 15) + repeated("]", 15) + "}"), "/attributes/a" + repeated("/0", 14),
         FaultCode::too_large},
        {"very deep attributes", signal_with("\"attributes\":{\"a\":" + repeated("[", 20'000) + repeated("]", 20'000) + "}"),
         "/attributes/a" + repeated("/0", 14), FaultCode::too_large},
        {"deep unknown member", signal_with("\"x\":" + repeated("{\"y\":", 16) + "1" + repeated("}", 16)), "/x" + repeated("/y", 15), FaultCode::too_large},
    };
    return table;
}

}  // namespace

TEST_CASE("a bad item is refused with the place and kind of its fault, and its neighbours are taken") {
    const auto good = signal_with(R"("id":"good")");
    for (const auto& row : bad_items()) {
        CAPTURE(row.name);
        for (const auto& request :
             {post(row.body), post("[" + good + "," + row.body + "," + good + "]"), post(good + "\n" + row.body + "\n" + good, "application/x-ndjson")}) {
            CAPTURE(request.body.substr(0, 300));
            const auto preparation = prepared(request);
            REQUIRE(preparation.batch != nullptr);
            REQUIRE(preparation.batch->refused.size() == 1);
            CHECK(preparation.batch->signals.size() == (preparation.batch->single ? 0 : 2));
            const auto& refused = preparation.batch->refused.front();
            CHECK(refused.index == (preparation.batch->single ? 0 : 1));
            REQUIRE_FALSE(refused.errors.empty());
            CHECK(refused.errors.front().pointer.substr(0, row.pointer.size()) == row.pointer);
            CHECK(refused.errors.front().code == row.code);
            CHECK_FALSE(refused.errors.front().detail.empty());
        }
    }
}

TEST_CASE("all faults of an item are listed, up to twenty, with the id when it can be read") {
    const auto some = prepared(post(R"({"id":"x-1","time":"now","domain":"D","confidence":2,"colour":1})"));
    REQUIRE(some.batch->refused.size() == 1);
    CHECK(some.batch->refused[0].id == "x-1");
    CHECK(some.batch->refused[0].errors.size() == 6);
    const auto many = prepared(post(signal_with("\"tactics\":[" + repeated("1,", 31) + "1]")));
    CHECK(many.batch->refused[0].errors.size() == 20);
}

TEST_CASE("what a request's faults say is bounded, whatever its names are, and every item keeps its first") {
    const auto name = repeated("~", 1'000);
    std::string list;
    for (int item = 0; item < 400; ++item) {
        list += (item > 0 ? "," : "") + signal_with("\"attributes\":{\"" + name + "\":[" + repeated(R"("\u0000",)", 30) + "1]}");
    }
    const auto preparation = prepared(post("[" + list + "]"));
    REQUIRE(preparation.batch != nullptr);
    REQUIRE(preparation.batch->refused.size() == 400);
    std::size_t bytes = 0;
    for (const auto& refused : preparation.batch->refused) {
        REQUIRE_FALSE(refused.errors.empty());
        CHECK(refused.errors.front().pointer.starts_with("/attributes/~0~0"));
        for (const auto& fault : refused.errors) bytes += fault.pointer.size() + fault.detail.size();
    }
    CHECK(bytes < 2 * 1024 * 1024);
    CHECK(preparation.batch->refused.front().errors.size() == 20);
    const auto deep = prepared(post(signal_with("\"attributes\":" + repeated("{\"" + repeated("/", 4'000) + "\":", 14) + R"("\u0000")" + repeated("}", 14))));
    REQUIRE(deep.batch->refused.size() == 1);
    CHECK(deep.batch->refused.front().errors.front().pointer.size() < 10'000);
}

TEST_CASE("sixteen levels are taken") {
    const auto preparation = prepared(post(signal_with("\"attributes\":{\"a\":" + repeated("[", 14) + repeated("]", 14) + "}")));
    CHECK(preparation.batch->signals.size() == 1);
}

TEST_CASE("a body that is no JSON is refused as a whole, a line of that kind alone") {
    const auto good = signal_with("");
    const std::vector<std::string> bodies{"{",
                                          "}",
                                          "{]",
                                          "[",
                                          "[}",
                                          "\"",
                                          "nul",
                                          "tru",
                                          "{\"a\"}",
                                          "{\"a\":}",
                                          "{a:1}",
                                          "{'a':1}",
                                          R"({"source":"s",})",
                                          good + good,
                                          good + "}",
                                          good + " x",
                                          "[" + good,
                                          "[" + good + ",]",
                                          "[" + good + good + "]",
                                          "[," + good + "]",
                                          good.substr(0, good.size() - 1),
                                          good.substr(0, good.size() / 2),
                                          good.substr(0, good.size() - 2),
                                          signal_with("\"title\":\"\n\""),
                                          signal_with("\"title\":\"\xff\""),
                                          signal_with("\"title\":\"\xed\xa0\x80\""),
                                          signal_with("\"title\":\"\xc0\x80\""),
                                          std::string{"{\"a\":\"\0\"}", 9},
                                          signal_with("\"count\":01"),
                                          signal_with("\"count\":+1"),
                                          signal_with("\"count\":1."),
                                          signal_with("\"count\":.5"),
                                          signal_with("\"count\":1x"),
                                          signal_with("\"count\":NaN"),
                                          signal_with("\"attributes\":{\"a\":truex}"),
                                          signal_with("\"attributes\":{\"a\":nulll}"),
                                          signal_with("\"attributes\":{\"a\" 1}"),
                                          signal_with("\"attributes\":{\"a\":1 \"b\":2}"),
                                          signal_with("\"attributes\":{\"a\":[1 2]}"),
                                          signal_with("\"attributes\":{\"a\":[1}}"),
                                          signal_with("\"attributes\":{\"a\":-}"),
                                          signal_with("\"attributes\":{\"a\":0x10}"),
                                          signal_with("\"attributes\":{\"a\":1e}"),
                                          signal_with("\"attributes\":{\"a\":\"b\"c}"),
                                          signal_with("\"attributes\":{\"a\":1,}"),
                                          "\xEF\xBB\xBF" + good,
                                          "[" + good + "] " + good,
                                          std::string{"\0", 1},
                                          good + std::string{"\0", 1}};
    for (const auto& body : bodies) {
        CAPTURE(body);
        const auto whole = prepared(post(body));
        REQUIRE(whole.refusal.has_value());
        CHECK(whole.refusal->status == 400);
        if (body.find('\n') != std::string::npos) continue;
        const auto lines = prepared(post(good + "\n" + body + "\n" + good, "application/x-ndjson"));
        REQUIRE(lines.batch != nullptr);
        CHECK(lines.batch->signals.size() == 2);
        REQUIRE(lines.batch->refused.size() == 1);
        CHECK(lines.batch->refused[0].index == 1);
    }
    for (const auto* body : {"", " ", "1", "null", "\"x\"", "true"}) {
        CAPTURE(body);
        CHECK(prepared(post(body)).refusal->status == 400);
    }
    const auto scalars = prepared(post("1\nnull\n[]\n\"x\"", "application/x-ndjson"));
    CHECK(scalars.batch->refused.size() == 4);
    CHECK(prepared(post("[1,null,[],\"x\"]")).batch->refused.size() == 4);
}

TEST_CASE("property: every cut of a valid body is refused, whatever its framing") {
    const auto signal = signal_with(R"("id":"x","entities":[{"kind":"ip","value":"1.2.3.4"}],"attributes":{"a":[1,{"b":"c\\"}],"d":null})");
    for (std::size_t length = 0; length < signal.size(); ++length) {
        CAPTURE(length);
        REQUIRE(prepared(post(signal.substr(0, length))).refusal.has_value());
        REQUIRE(prepared(post("[" + signal + "," + signal.substr(0, length))).refusal.has_value());
        const auto lines = prepared(post(signal + "\n" + signal.substr(0, length), "application/x-ndjson"));
        REQUIRE(lines.batch->signals.size() == 1);
        REQUIRE(lines.batch->refused.size() == (length > 0 ? 1 : 0));
    }
}

TEST_CASE("property: random damage never crashes, and every item is answered for") {
    const auto signal = signal_with(
        R"("id":"x","tactics":["TA0001"],"entities":[{"kind":"ip","value":"1.2.3.4","role":"source"}],"attributes":{"a":[1,{"b":"c\\"}],"d":null},"confidence":0.25)");
    constexpr std::string_view letters = "{}[]\",:\\0123456789.eE+-tfnu\n \xff\x80\xc3";
    std::mt19937 random{20260305};
    for (int round = 0; round < 20'000; ++round) {
        auto body = signal + "\n" + signal;
        for (auto edits = 1 + random() % 3; edits > 0; --edits) {
            const auto at = random() % body.size();
            switch (random() % 3) {
                case 0: body[at] = letters[random() % letters.size()]; break;
                case 1: body.erase(at, 1 + random() % 4); break;
                default: body.insert(at, 1, letters[random() % letters.size()]); break;
            }
        }
        CAPTURE(body);
        std::size_t items = 0;
        for (std::size_t at = 0; at < body.size();) {
            const auto end = std::min(body.find('\n', at), body.size());
            if (body.substr(at, end - at).find_first_not_of(" \t\r") != std::string::npos) ++items;
            at = end + 1;
        }
        const auto lines = prepared(post(body, "application/x-ndjson"));
        REQUIRE(lines.batch->signals.size() + lines.batch->refused.size() == items);
        std::replace(body.begin(), body.end(), '\n', ',');
        const auto list = prepared(post("[" + body + "]"));
        REQUIRE((list.batch != nullptr) != list.refusal.has_value());
    }
}
