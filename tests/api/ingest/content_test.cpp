#include "api/ingest/content.hpp"
#include "api/ingest/attributes.hpp"
#include "api/ingest/json_text.hpp"
#include "api/ingest/tokens.hpp"
#include "tests/api/ingest/posting.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <random>

using namespace catenary;
using api::ingest::attribute_leaves;
using api::ingest::canonical_json;
using engine::Attribute;
using tests::post;
using tests::prepared;
using tests::signal_with;
using Json = nlohmann::json;

namespace {

std::string canonical(std::string_view json) {
    std::string text;
    canonical_json(json, text);
    return text;
}

std::string content(const std::string& body) {
    const auto preparation = prepared(post(body));
    REQUIRE(preparation.batch != nullptr);
    REQUIRE(preparation.batch->signals.size() == 1);
    std::string bytes;
    api::ingest::content_bytes(preparation.batch->signals.front(), bytes);
    return bytes;
}

Json random_value(std::mt19937& random, int depth) {
    switch (random() % (depth > 0 ? 8 : 6)) {
        case 0: return nullptr;
        case 1: return random() % 2 == 0;
        case 2: return static_cast<std::int64_t>(random() % 2000) - 1000;
        case 3: return static_cast<double>(random()) / 7.0;
        case 4: return std::string(random() % 4, static_cast<char>('a' + random() % 3));
        case 5: return std::string{"\"\\\n\tü😀/"}.substr(0, 1 + random() % 4);
        case 6: {
            auto list = Json::array();
            for (auto n = random() % 4; n > 0; --n) list.push_back(random_value(random, depth - 1));
            return list;
        }
        default: {
            auto object = Json::object();
            for (auto n = random() % 5; n > 0; --n)
                object[std::string(1, static_cast<char>('a' + random() % 20)) + (random() % 3 == 0 ? "\"é" : "")] = random_value(random, depth - 1);
            return object;
        }
    }
}

/// The same value spelled otherwise: members shuffled, characters escaped, numbers in another form.
std::string respelled(const Json& value, std::mt19937& random) {
    if (value.is_object()) {
        std::vector<std::string> members;
        for (const auto& [name, inner] : value.items()) members.push_back(Json(name).dump(-1, ' ', random() % 2 == 0) + ":" + respelled(inner, random));
        std::shuffle(members.begin(), members.end(), random);
        std::string text;
        for (const auto& member : members) text += (text.empty() ? "" : ",") + member;
        return "{" + text + "}";
    }
    if (value.is_array()) {
        std::string text;
        for (const auto& inner : value) text += (text.empty() ? "" : ",") + respelled(inner, random);
        return "[" + text + "]";
    }
    if (value.is_number_integer() && random() % 2 == 0) return value.dump() + (random() % 2 == 0 ? ".0" : "e0");
    return value.dump(-1, ' ', random() % 2 == 0);
}

}  // namespace

TEST_CASE("canonical JSON has sorted members, short escapes and shortest numbers") {
    CHECK(canonical(R"({"b":1,"a":{"d":[],"c":{}}})") == R"({"a":{"c":{},"d":[]},"b":1})");
    CHECK(canonical(R"(["\u0041\/\u00fc\ud83d\ude00\u001f\n","\\\""])") == R"(["A/ü😀\u001f\n","\\\""])");
    CHECK(canonical("[1.0,-0,1e2,0.10,1E-7,100000000000000000000,0.00001,123456789012345.5]") == "[1,0,100,0.1,1e-07,1e+20,0.00001,123456789012345.5]");
    CHECK(canonical(R"({"\u0062":1,"a":2})") == R"({"a":2,"b":1})");
    CHECK(canonical(R"([true,false,null])") == "[true,false,null]");
}

TEST_CASE("property: two spellings of one value have one canonical text, which is stable and means the same") {
    std::mt19937 random{5};
    for (int round = 0; round < 3'000; ++round) {
        const auto value = random_value(random, 4);
        const auto text = canonical(value.dump());
        CAPTURE(text);
        REQUIRE(canonical(respelled(value, random)) == text);
        REQUIRE(canonical(text) == text);
        REQUIRE(Json::parse(text) == value);
    }
}

TEST_CASE("property: what is known as plain when it is parsed is canonical already") {
    std::mt19937 random{6};
    int plain = 0;
    for (int round = 0; round < 3'000; ++round) {
        const auto object = Json{{"a", random_value(random, 4)}, {"b", random_value(random, 1)}};
        const auto preparation = prepared(post(signal_with("\"attributes\":" + respelled(object, random))));
        REQUIRE(preparation.batch->signals.size() == 1);
        const auto& signal = preparation.batch->signals.front();
        REQUIRE(Json::parse(signal.attributes) == object);
        if (!signal.plain_attributes) continue;
        ++plain;
        REQUIRE(canonical(signal.attributes) == signal.attributes);
    }
    CHECK(plain > 100);
    for (const auto* token : {"0", "-1", "12", "0.5", "-3.25", "0.001", "123456789012.25"}) {
        CAPTURE(token);
        CHECK(api::ingest::is_plain_number(token));
        CHECK(canonical(token) == token);
    }
    for (const auto* token : {"-0", "1.0", "1e3", "0.50", "0.00001", "1234567890123456", "1E3", "0.1234567890123456"}) {
        CAPTURE(token);
        CHECK_FALSE(api::ingest::is_plain_number(token));
    }
}

TEST_CASE("content is what was said, not how it was spelled") {
    const auto usual = content(signal_with(R"("entities":[{"kind":"account","value":"A@x.example"}],"attributes":{"a":1,"b":[2.5,"é"]})"));
    CHECK(content(signal_with(R"("attributes":{ "b":[2.50,"\u00e9"],"a":1.0},"entities":[{"value":"a@x.example","kind":"account"}])")) == usual);
    CHECK(content(signal_with(R"("id":"other","entities":[{"kind":"account","value":"a@X.example"}],"attributes":{"a":1,"b":[2.5,"é"]})")) == usual);
    CHECK(content(signal_with("")) ==
          content(signal_with(R"("severity":"informational","confidence":0.1,"count":1,"entities":[],"attributes":{},"tactics":[])")));
    CHECK(content(signal_with(R"("confidence":0)")) == content(signal_with(R"("confidence":-0.0)")));
}

TEST_CASE("every part of the content makes a difference") {
    std::set<std::string> seen{content(signal_with(""))};
    for (const auto* member : {R"("time":"2026-03-05T22:47:11.000001Z")",
                               R"("domain":"identity2")",
                               R"("name":"sign_in2")",
                               R"("title":"x")",
                               R"("tactics":["TA0001"])",
                               R"("techniques":["T1078"])",
                               R"("severity":"low")",
                               R"("confidence":0.2)",
                               R"("count":2)",
                               R"("entities":[{"kind":"host","value":"a"}])",
                               R"("entities":[{"kind":"host","value":"b"}])",
                               R"("entities":[{"kind":"app","value":"a"}])",
                               R"("entities":[{"kind":"host","value":"a","role":"x"}])",
                               R"("entities":[{"kind":"host","value":"a"},{"kind":"host","value":"b"}])",
                               R"("entities":[{"kind":"host","value":"a","aliases":[{"kind":"ip","value":"10.0.0.1"}]}])",
                               R"("attributes":{"a":null})",
                               R"("attributes":{"a":[]})",
                               R"("attributes":{"a":{}})",
                               R"("attributes":{"a":"1"})",
                               R"("attributes":{"a":1})",
                               R"("attributes":{"a":true})",
                               R"("attributes":{"a":[1]})"}) {
        CAPTURE(member);
        CHECK(seen.insert(content(signal_with(member))).second);
    }
    CHECK(content(signal_with(R"("source":"other")")) == content(signal_with("")));
}

TEST_CASE("leaves are given for the paths asked for, in document order") {
    const std::string json =
        R"({"geo":{"country":"RO","city":null},"tags":["a",["b",{"x":1}],{"x":2}],"n":-1.5,"on":true,"a.b":{"c\\d":"dot"},"":{"":"empty"},"e":{},"\u0066":"f"})";
    CHECK(attribute_leaves(json, {}).empty());
    CHECK(attribute_leaves("", {"geo"}).empty());
    CHECK(attribute_leaves("{}", {"geo"}).empty());
    CHECK(attribute_leaves(json, {"geo", "geo.city", "e", "missing"}).empty());
    CHECK(attribute_leaves(json, {"geo.country"}) == std::vector<Attribute>{{"geo.country", std::string{"RO"}}});
    CHECK(attribute_leaves(json, {"tags", "tags.x"}) ==
          std::vector<Attribute>{{"tags", std::string{"a"}}, {"tags", std::string{"b"}}, {"tags.x", 1.0}, {"tags.x", 2.0}});
    CHECK(attribute_leaves(json, {"on", "n"}) == std::vector<Attribute>{{"n", -1.5}, {"on", true}});
    CHECK(attribute_leaves(json, {R"(a\.b.c\\d)"}) == std::vector<Attribute>{{R"(a\.b.c\\d)", std::string{"dot"}}});
    CHECK(attribute_leaves(json, {"."}) == std::vector<Attribute>{{".", std::string{"empty"}}});
    CHECK(attribute_leaves(json, {"f"}) == std::vector<Attribute>{{"f", std::string{"f"}}});
}

TEST_CASE("property: damaged attribute text ends the reading, never the process") {
    const std::string json = R"({"a":{"b":[1,"x\"y",true,{"c":null}]},"d":"\u00e9"})";
    const std::set<std::string> paths{"a.b", "d", "a.b.c"};
    std::mt19937 random{8};
    for (int round = 0; round < 20'000; ++round) {
        auto damaged = json;
        for (int edits = 0; edits < 3; ++edits) damaged[random() % damaged.size()] = "{}[]\",:\\x1"[random() % 10];
        damaged.resize(random() % (damaged.size() + 1));
        REQUIRE(attribute_leaves(damaged, paths).size() < 20);
        std::string canonical_text;
        canonical_json(damaged, canonical_text);
    }
    CHECK(attribute_leaves(std::string(1'000'000, '['), paths).empty());
    CHECK(attribute_leaves("{\"a\":" + std::string(1'000'000, '['), paths).empty());
}
