#include "api/http/query.hpp"

#include <doctest/doctest.h>

using namespace catenary;
using api::http::QueryReader;
using api::http::Request;
using engine::FaultCode;

namespace {

Request with(std::vector<std::pair<std::string, std::string>> query) {
    Request request;
    request.target = "/api/v1/things";
    request.query = std::move(query);
    return request;
}

}  // namespace

TEST_CASE("a reader gives typed values and nothing for what is absent") {
    const auto request = with({{"owner", "mika"},
                               {"owner", "ana"},
                               {"owner", "mika"},
                               {"score_min", "0.5"},
                               {"after", "2026-03-05T22:47:11Z"},
                               {"all", "true"},
                               {"limit", "500"},
                               {"cursor", "abc"}});
    QueryReader query{request};
    CHECK(query.many("owner") == std::vector<std::string>{"mika", "ana"});
    CHECK(query.number("score_min", 0, 1) == 0.5);
    CHECK(query.time("after").has_value());
    CHECK(query.flag("all"));
    CHECK_FALSE(query.flag("some"));
    CHECK_FALSE(query.one("title").has_value());
    CHECK_FALSE(query.integer("n", 1, 3).has_value());
    CHECK(query.limit() == 500);
    CHECK(query.cursor() == "abc");
    CHECK_FALSE(query.refusal().has_value());
}

TEST_CASE("limit is 50 when absent") {
    const auto request = with({});
    QueryReader query{request};
    CHECK(query.limit() == 50);
    CHECK(query.finish().empty());
}

TEST_CASE("every bad value and every unknown parameter is named, all at once") {
    constexpr std::string_view states[] = {"new", "active"};
    const auto request = with({{"owner", ""},
                               {"q", "a"},
                               {"q", "b"},
                               {"after", "yesterday"},
                               {"score_min", "1.5"},
                               {"score_max", "nan"},
                               {"state", "open"},
                               {"limit", "501"},
                               {"flag", "yes"},
                               {"colour", "red"},
                               {"a/b", "1"}});
    QueryReader query{request};
    static_cast<void>(query.many("owner"));
    static_cast<void>(query.one("q"));
    static_cast<void>(query.time("after"));
    static_cast<void>(query.number("score_min", 0, 1));
    static_cast<void>(query.number("score_max", 0, 1));
    static_cast<void>(query.words("state", states));
    static_cast<void>(query.limit());
    static_cast<void>(query.flag("flag"));
    const auto faults = query.finish();
    const std::vector<std::pair<std::string, FaultCode>> expected{{"/owner", FaultCode::missing},       {"/q", FaultCode::conflict},
                                                                  {"/after", FaultCode::malformed},     {"/score_min", FaultCode::out_of_range},
                                                                  {"/score_max", FaultCode::malformed}, {"/state", FaultCode::out_of_range},
                                                                  {"/limit", FaultCode::out_of_range},  {"/flag", FaultCode::out_of_range},
                                                                  {"/a~1b", FaultCode::unknown_field},  {"/colour", FaultCode::unknown_field}};
    REQUIRE(faults.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(faults[i].detail);
        CHECK(faults[i].pointer == expected[i].first);
        CHECK(faults[i].code == expected[i].second);
    }
}

TEST_CASE("limits that are no whole number between 1 and 500 are refused") {
    for (const auto* value : {"0", "501", "-1", "1.0", "1e2", "+5", " 5", "5 ", "0x10", "99999999999999999999"}) {
        CAPTURE(value);
        const auto request = with({{"limit", value}});
        QueryReader query{request};
        static_cast<void>(query.limit());
        const auto refusal = query.refusal();
        REQUIRE(refusal.has_value());
        CHECK(refusal->status == 400);
        CHECK(refusal->body.find("\"/limit\"") != std::string::npos);
    }
}
