#include "api/json/limits.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <vector>

using namespace catenary;
using api::json::JsonLimits;
using api::json::parse_document;
using engine::FaultCode;

namespace {

std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
}

struct BadDocument {
    std::string name;
    std::string body;
    std::string pointer;
    FaultCode code;
};

}  // namespace

TEST_CASE("a document within its limits is read as it stands") {
    const auto parsed = parse_document(R"( {"id":"x","within":"24h","n":[1,-2,0.5,1e3,true,null],"o":{"ü":"😀\n"}} )");
    REQUIRE(std::holds_alternative<nlohmann::json>(parsed));
    const auto& document = std::get<nlohmann::json>(parsed);
    CHECK(document["n"] == nlohmann::json{1, -2, 0.5, 1e3, true, nullptr});
    CHECK(document["o"]["ü"] == "😀\n");
}

TEST_CASE("hostile documents are refused with the place and kind of their fault") {
    const std::vector<BadDocument> table{
        {"empty", "", "", FaultCode::malformed},
        {"only white space", " \n", "", FaultCode::malformed},
        {"cut object", R"({"a":[1,)", "/a/0", FaultCode::malformed},
        {"cut string", R"({"a":"b)", "/a", FaultCode::malformed},
        {"after the value", R"({"a":1} {"b":2})", "", FaultCode::malformed},
        {"NUL after the value", std::string{"{\"a\":1}\0", 8}, "", FaultCode::malformed},
        {"more after a NUL", std::string{"{\"a\":1}\0{\"b\":2}", 15}, "", FaultCode::malformed},
        {"comma at the end", R"([1,])", "/0", FaultCode::malformed},
        {"comment", R"({"a":1 /* x */})", "/a", FaultCode::malformed},
        {"single quotes", R"({'a':1})", "", FaultCode::malformed},
        {"not a number", R"([NaN])", "", FaultCode::malformed},
        {"leading zero", R"([01])", "/0", FaultCode::malformed},
        {"depth 17", repeated("[", 17) + repeated("]", 17), repeated("/0", 16), FaultCode::too_large},
        {"a million levels", repeated("[", 200'000), repeated("/0", 16), FaultCode::too_large},
        {"duplicate", R"({"a":{"b":1,"c":2,"b":3}})", "/a/b", FaultCode::conflict},
        {"duplicate by escape", R"({"ab":1,"\u0061b":3})", "/ab", FaultCode::conflict},
        {"NUL in a string", R"({"a":["x","y\u0000z"]})", "/a/1", FaultCode::malformed},
        {"NUL in a name", R"({"a\u0000":1})", std::string{"/a\0", 3}, FaultCode::malformed},
        {"raw NUL", std::string{"{\"a\":\"\0\"}", 9}, "/a", FaultCode::malformed},
        {"lone high surrogate", R"({"a":"\ud800"})", "/a", FaultCode::malformed},
        {"lone low surrogate", R"({"a":"\udc00"})", "/a", FaultCode::malformed},
        {"swapped surrogates", R"({"a":"\udc00\ud800"})", "/a", FaultCode::malformed},
        {"overlong UTF-8", "{\"a\":\"\xC0\x80\"}", "/a", FaultCode::malformed},
        {"encoded surrogate", "{\"a\":\"\xED\xA0\x80\"}", "/a", FaultCode::malformed},
        {"beyond Unicode", "{\"a\":\"\xF5\x80\x80\x80\"}", "/a", FaultCode::malformed},
        {"control character", "{\"a\":\"\n\"}", "/a", FaultCode::malformed},
        {"infinite", R"({"a":[0,1e999]})", "/a/1", FaultCode::out_of_range},
        {"2^53 + 1", R"({"a":9007199254740993})", "/a", FaultCode::out_of_range},
        {"-2^53 - 1", R"([-9007199254740993])", "/0", FaultCode::out_of_range},
        {"2^64 - 1", R"([18446744073709551615])", "/0", FaultCode::out_of_range},
        {"400 digits", "[" + repeated("9", 400) + "]", "/0", FaultCode::out_of_range},
        {"30 inexact digits", "[" + repeated("9", 30) + "]", "/0", FaultCode::out_of_range},
        {"pointer escapes", R"({"a/b~c":"\u0000"})", "/a~1b~0c", FaultCode::malformed},
    };
    for (const auto& row : table) {
        CAPTURE(row.name);
        const auto parsed = parse_document(row.body);
        REQUIRE(std::holds_alternative<engine::Faults>(parsed));
        const auto& faults = std::get<engine::Faults>(parsed);
        REQUIRE_FALSE(faults.empty());
        CHECK(faults.front().pointer == row.pointer);
        CHECK(faults.front().code == row.code);
        CHECK_FALSE(faults.front().detail.empty());
    }
}

TEST_CASE("exact whole numbers pass, however long") {
    for (const auto* body :
         {"9007199254740992", "9007199254740994", "-9007199254740992", "18446744073709549568", "10000000000000000000000", "123456789012345678e3"}) {
        CAPTURE(body);
        CHECK(std::holds_alternative<nlohmann::json>(parse_document(body)));
    }
}

TEST_CASE("each limit is inclusive") {
    const JsonLimits limits{.bytes = 60, .depth = 2, .values = 6, .members = 3, .key_bytes = 4, .string_bytes = 5};
    struct Case {
        const char* fits;
        const char* exceeds;
        const char* pointer;
    };
    for (const auto& [fits, exceeds, pointer] :
         {Case{"[[]]", "[[[]]]", "/0/0"}, Case{"[1,2,3,4,5]", "[1,2,3,4,5,6]", "/5"}, Case{R"({"a":1,"b":2,"c":3})", R"({"a":1,"b":2,"c":3,"d":4})", "/d"},
          Case{R"({"abcd":1})", R"({"abcde":1})", "/abcd"}, Case{R"(["abcde"])", R"(["abcdef"])", "/0"}, Case{R"(["\u00e9abc"])", R"(["\u00e9abcd"])", "/0"}}) {
        CAPTURE(exceeds);
        CHECK(std::holds_alternative<nlohmann::json>(parse_document(fits, limits)));
        const auto parsed = parse_document(exceeds, limits);
        REQUIRE(std::holds_alternative<engine::Faults>(parsed));
        CHECK(std::get<engine::Faults>(parsed).front().code == FaultCode::too_large);
        CHECK(std::get<engine::Faults>(parsed).front().pointer == pointer);
    }
    CHECK(std::holds_alternative<nlohmann::json>(parse_document(std::string(59, ' ') + "1", limits)));
    CHECK(std::holds_alternative<engine::Faults>(parse_document(std::string(60, ' ') + "1", limits)));
}

TEST_CASE("faults that do not end the reading are all listed, up to a hundred") {
    const auto parsed = parse_document(R"({"a":"\u0000","b":9007199254740993,"a":1})");
    REQUIRE(std::holds_alternative<engine::Faults>(parsed));
    CHECK(std::get<engine::Faults>(parsed).size() == 3);

    std::string many = "[\"\\u0000\"";
    for (int i = 0; i < 500; ++i) many += ",\"\\u0000\"";
    const auto bounded = parse_document(many + "]");
    REQUIRE(std::holds_alternative<engine::Faults>(bounded));
    CHECK(std::get<engine::Faults>(bounded).size() == 100);
}
