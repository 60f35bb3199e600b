#include "api/adapters/posted.hpp"
#include "tests/api/ingest/posting.hpp"
#include "tests/support/schema_check.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using namespace catenary;
using api::adapters::Format;
using nlohmann::json;

namespace {

api::http::Request post(const std::string& format, std::string body, std::string type = "application/json") {
    auto request = tests::post(std::move(body), std::move(type));
    request.target = "/api/v1/ingest/" + format;
    request.segments = {"api", "v1", "ingest", format};
    return request;
}

api::ingest::Preparation prepared(const api::http::Request& request, const api::ingest::IngestLimits& limits = {}) {
    return api::adapters::prepare(*api::adapters::format_in_path(request), request, api::Caller{}, tests::posting_time, limits);
}

json sign_in() {
    return json::parse(
        R"({"class_uid": 3002, "activity_id": 1, "status_id": 2, "time": 1772704800000, "metadata": {"uid": "m-1", "product": {"name": "idp"}}, "user": {"name": "alice"}})");
}
json sign_in_with(const std::string& member, json value) {
    auto record = sign_in();
    record[member] = std::move(value);
    return record;
}

}  // namespace

TEST_CASE("only the formats that there are have a path") {
    CHECK(api::adapters::format_in_path(post("ocsf", "")) == Format::ocsf);
    CHECK(api::adapters::format_in_path(post("ecs", "")) == Format::ecs);
    CHECK(api::adapters::format_in_path(post("cloudevents", "")) == Format::cloudevents);
    CHECK_FALSE(api::adapters::format_in_path(post("cef", "")).has_value());
    CHECK_FALSE(api::adapters::format_in_path(tests::post("")).has_value());
}

TEST_CASE("a record, a list and lines give the same signals") {
    const auto text = sign_in().dump();
    const auto one = prepared(post("ocsf", text));
    REQUIRE(one.batch->signals.size() == 1);
    CHECK(one.batch->single);
    CHECK(one.batch->signals[0].id == "m-1");
    CHECK(one.batch->signals[0].name == "failed_sign_in");
    CHECK(one.batch->signals[0].confidence == doctest::Approx(0.01));
    for (const auto& [body, type] :
         {std::pair{" [" + text + " ,\n" + text + "] ", "application/json"}, std::pair{text + "\n\n" + text, "application/x-ndjson"}}) {
        const auto two = prepared(post("ocsf", body, type));
        REQUIRE(two.batch->signals.size() == 2);
        CHECK_FALSE(two.batch->single);
        CHECK(two.batch->signals[1].index == 1);
        CHECK(two.batch->signals[1].id == "m-1");
    }
    CHECK(prepared(post("ocsf", "[]")).batch->signals.empty());
    CHECK(prepared(post("ocsf", " [ ] ")).batch->signals.empty());
}

TEST_CASE("a bad record is refused alone, under its own place, with pointers into it") {
    const json list{sign_in_with("class_uid", "x"), sign_in(), sign_in_with("time", 4'102'444'800'000), json::array(),
                    sign_in_with("metadata", json{{"uid", "m-2"}, {"product", {{"name", "catenary"}}}})};
    const auto prepared_list = prepared(post("ocsf", list.dump()));
    const auto& batch = *prepared_list.batch;
    REQUIRE(batch.signals.size() == 1);
    CHECK(batch.signals[0].index == 1);
    REQUIRE(batch.refused.size() == 4);
    const std::vector<std::pair<std::uint32_t, std::string>> expected{{0, "/class_uid"}, {2, "/time"}, {3, ""}, {4, "/metadata/product/name"}};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(batch.refused[i].index == expected[i].first);
        CHECK(batch.refused[i].errors.at(0).pointer == expected[i].second);
    }
}

TEST_CASE("a dry run shows what would be posted, item by item, and leaves nothing to store") {
    auto request = post("ocsf", json{sign_in(), json::object()}.dump());
    request.query = {{"dry_run", "true"}, {"source", "lab"}};
    const auto preparation = prepared(request);
    CHECK(preparation.batch == nullptr);
    REQUIRE(preparation.refusal.has_value());
    CHECK(preparation.refusal->status == 200);
    const auto body = json::parse(preparation.refusal->body);
    REQUIRE(body["items"].size() == 2);
    CHECK(body["items"][0]["signal"]["source"] == "lab");
    CHECK(body["items"][0]["signal"]["id"] == "m-1");
    CHECK(body["items"][0]["signal"]["attributes"]["metadata"]["product"]["name"] == "idp");
    CHECK_FALSE(body["items"][1].contains("signal"));
    CHECK(body["items"][1]["errors"][0]["pointer"] == "/class_uid");
    const auto schema = tests::reply_schema("/api/v1/ingest/ocsf", "post", 200, "application/json");
    for (const auto& violation : tests::schema_violations(body, schema)) FAIL_CHECK(violation);
}

TEST_CASE("a record without an id gets one from its content, the same every time") {
    auto record = sign_in();
    record["metadata"].erase("uid");
    const auto first = prepared(post("ocsf", record.dump()));
    const auto again = prepared(post("ocsf", record.dump()));
    CHECK(first.batch->signals[0].id.starts_with("c-"));
    CHECK(first.batch->signals[0].id == again.batch->signals[0].id);
}

TEST_CASE("nothing of a record is lost: entities beyond a signal's number, deep nesting and what no mapping knows are attributes") {
    auto record = sign_in();
    for (int i = 0; i < 40; ++i) record["observables"].push_back({{"type_id", 2}, {"value", fmt::format("10.0.0.{}", i)}});
    json deep = "end";
    for (int i = 0; i < 14; ++i) deep = json{{"d", deep}};
    record["vendor"] = deep;
    record["odd"] = {{"null", nullptr}, {"empty", json::object()}};
    const auto preparation = prepared(post("ocsf", record.dump()));
    REQUIRE(preparation.batch->signals.size() == 1);
    const auto& signal = preparation.batch->signals[0];
    CHECK(signal.entities.size() == 32);
    const auto attributes = json::parse(signal.attributes);
    CHECK(attributes["observables"].size() == 40);  // their types stay; of nine the values too
    CHECK(attributes["observables"][39]["value"] == "10.0.0.39");
    CHECK_FALSE(attributes["observables"][0].contains("value"));
    CHECK(signal.attributes.find("end") != std::string_view::npos);
    CHECK(attributes["odd"] == record["odd"]);
}

TEST_CASE("what adapters refuse, where and with which code") {
    struct Case {
        const char* name;
        const char* format;
        std::string body;
        const char* pointer;
        const char* code;
    };
    const auto event = [](const std::string& member, json value) {
        json made{{"specversion", "1.0"}, {"id", "1"}, {"source", "s"}, {"type", "t"}, {"time", "2026-03-05T10:00:00Z"}};
        if (value.is_discarded()) made.erase(member);
        else made[member] = std::move(value);
        return made.dump();
    };
    const auto ecs = [](json value) {
        json made{{"@timestamp", "2026-03-05T10:00:00Z"}, {"event", {{"module", "m"}, {"action", "a"}}}};
        made.merge_patch(value);
        return made.dump();
    };
    const json gone(json::value_t::discarded);
    const std::vector<Case> cases{
        {"no object", "ocsf", "7", "", "wrong_type"},
        {"no JSON", "ocsf", "{\"class_uid\":", "/class_uid", "malformed"},
        {"a member twice", "ocsf", R"({"class_uid":3002,"class_uid":1})", "/class_uid", "conflict"},
        {"no class", "ocsf", "{}", "/class_uid", "missing"},
        {"a class that is no number", "ocsf", sign_in_with("class_uid", "3002").dump(), "/class_uid", "wrong_type"},
        {"no product", "ocsf", sign_in_with("metadata", json::object()).dump(), "/metadata/product/name", "missing"},
        {"no time", "ocsf", sign_in_with("time", nullptr).dump(), "/time", "missing"},
        {"a time that is none", "ocsf", sign_in_with("time", "noon").dump(), "/time", "malformed"},
        {"seconds instead of milliseconds", "ocsf", sign_in_with("time", 1'772'704).dump(), "/time", "out_of_range"},
        {"a count beyond the most", "ocsf", sign_in_with("count", 2'000'000'000).dump(), "/count", "out_of_range"},
        {"no version", "cloudevents", event("specversion", gone), "/specversion", "missing"},
        {"another version", "cloudevents", event("specversion", "2.0"), "/specversion", "unsupported"},
        {"binary data", "cloudevents", event("data_base64", "aGk="), "/data_base64", "unsupported"},
        {"no id", "cloudevents", event("id", gone), "/id", "missing"},
        {"no source", "cloudevents", event("source", ""), "/source", "missing"},
        {"no type", "cloudevents", event("type", gone), "/type", "missing"},
        {"no time", "cloudevents", event("time", gone), "/time", "missing"},
        {"a local time", "cloudevents", event("time", "2026-03-05T10:00:00"), "/time", "malformed"},
        {"a bad confidence", "cloudevents", event("data", {{"confidence", 2}}), "/data/confidence", "out_of_range"},
        {"a bad entity", "cloudevents", event("data", {{"entities", {{{"kind", "account"}}}}}), "/data/entities", "missing"},
        {"no time", "ecs", ecs({{"@timestamp", nullptr}}), "/@timestamp", "missing"},
        {"a time in milliseconds", "ecs", ecs({{"@timestamp", 1'772'704'800'000}}), "/@timestamp", "malformed"},
        {"no module", "ecs", ecs({{"event", {{"module", nullptr}}}}), "/event/module", "missing"},
        {"nothing that happened", "ecs", ecs({{"event", {{"action", nullptr}}}}), "/event/action", "missing"},
        {"the reserved source", "ecs", ecs({{"event", {{"module", "catenary"}}}}), "/event/module", "out_of_range"},
        {"a time in the future", "ecs", ecs({{"@timestamp", "2027-01-01T00:00:00Z"}}), "/@timestamp", "out_of_range"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        CAPTURE(c.body);
        const auto preparation = prepared(post(c.format, c.body));
        REQUIRE(preparation.batch != nullptr);
        CHECK(preparation.batch->signals.empty());
        REQUIRE(preparation.batch->refused.size() == 1);
        CHECK(preparation.batch->refused[0].errors.at(0).pointer == c.pointer);
        CHECK(std::string{engine::to_string(preparation.batch->refused[0].errors.at(0).code)} == c.code);
    }
}

TEST_CASE("requests that are refused as a whole") {
    const auto status = [](const api::http::Request& request, const api::ingest::IngestLimits& limits = {}) {
        const auto preparation = prepared(request, limits);
        return preparation.refusal ? preparation.refusal->status : 0;
    };
    CHECK(status(post("ocsf", "{}", "text/plain")) == 415);
    CHECK(status(post("ocsf", "{}", "application/cloudevents+json")) == 415);
    CHECK(status(post("cloudevents", "{}", "application/cloudevents+json")) == 0);
    for (const auto* bad : {"[", "[1", "[1,]", "[,1]", "[1] 2", "[1}", "[{]", "[\"a"}) {
        CAPTURE(std::string{bad});
        CHECK(status(post("ocsf", bad)) == 400);
    }
    auto unknown = post("ocsf", "{}");
    unknown.query = {{"dryrun", "true"}};
    CHECK(status(unknown) == 400);
    unknown.query = {{"dry_run", "yes"}};
    CHECK(status(unknown) == 400);
    api::ingest::IngestLimits two;
    two.signals = 2;
    CHECK(status(post("ocsf", "[{},{},{}]"), two) == 413);
    CHECK(status(post("ocsf", "{}\n{}\n{}", "application/x-ndjson"), two) == 413);
    CHECK(status(post("ocsf", "[{},{}]"), two) == 0);
    api::ingest::IngestLimits small;
    small.signal_bytes = 10;
    CHECK(prepared(post("ocsf", sign_in().dump()), small).batch->refused.at(0).errors.at(0).code == engine::FaultCode::too_large);
}
