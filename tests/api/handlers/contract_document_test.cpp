#include "api/embedded.hpp"
#include "api/routes.hpp"
#include "tests/support/fake_api.hpp"
#include "tests/support/schema_check.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <regex>
#include <set>
#include <string>

// What a reader, a generator of clients or a linter expects of openapi.yaml, as far as it can be said without one. `make openapi-lint` has the rest.

using namespace catenary;
using api::http::Method;
using nlohmann::json;
using tests::contract;
using tests::resolved;

namespace {

/// Calls `visit(path, method, operation)` for each operation.
void each_operation(const std::function<void(const std::string&, const std::string&, const json&)>& visit) {
    for (const auto& [path, item] : contract()["paths"].items()) {
        for (const auto& [method, operation] : item.items()) {
            if (method == "parameters") continue;
            const auto where = method + " " + path;
            CAPTURE(where);
            visit(path, method, operation);
        }
    }
}

/// Calls `visit(place, schema)` for each schema below a value of the document, wherever it stands.
void each_schema(const json& value, const std::string& place, const std::function<void(const std::string&, const json&)>& visit) {
    if (!value.is_structured()) return;
    for (const auto& [name, member] : value.items()) {
        const auto at = place + "/" + name;
        if (name == "schema" || name == "items") visit(at, member);
        if (name == "properties" || name == "schemas") {
            for (const auto& [property, schema] : member.items()) visit(at + "/" + property, schema);
        }
        if (name != "example") each_schema(member, at, visit);
    }
}

std::set<std::string> strings_of(const json& list) { return list.get<std::set<std::string>>(); }

/// What is sent where the contract has an example, in a world in which it makes sense.
tests::Reply sent(const std::string& path, const std::string& method, const std::string& type, const json& example) {
    tests::FakeApi api;
    for (const auto number : {17, 18}) api.incidents.records.emplace(number, tests::incident_of_two(number));
    auto second = tests::finding_of_two();
    auto id = second.id.value();
    ++id.data[15];
    second.id = engine::FindingId{id};
    api.incidents.found = {tests::finding_of_two(), second};
    REQUIRE(api.post("/api/v1/keys", {{"scopes", {"admin"}}}).status == 201);
    api.desk.rows = {tests::ticket_of(17)};
    if (path.find("{name}") != std::string::npos && method != "put") REQUIRE(api.put("/api/v1/connectors/soc", tests::redmine_document()).status == 201);
    if (path.ends_with("/tickets")) REQUIRE(api.put("/api/v1/connectors/soc", tests::redmine_document()).status == 201);
    const bool has_pattern = path.starts_with("/api/v1/patterns/{id}");
    if (has_pattern) {
        REQUIRE(api.post("/api/v1/patterns", json::parse(R"({"id":"key-listing-then-new-country","title":"T","within":"1h",
            "stages":[{"id":"a","match":{"name":"x"}}]})"))
                    .status == 201);
    }
    auto target = path;
    for (const auto& [name, value] : {std::pair{"{number}", "17"},
                                      {"{name}", "soc"},
                                      {"{kind}", "account"},
                                      {"{value}", "alice"},
                                      {"{id}", has_pattern               ? "key-listing-then-new-country"
                                               : path == api::hooks_path ? "open"
                                                                         : "k1"}}) {
        if (const auto at = target.find(name); at != std::string::npos) target.replace(at, std::string_view{name}.size(), value);
    }
    for (const auto& route : api::routes()) {
        if (tests::method_word(route.method) == method && route.path == path) return api.send(route.method, target, example.dump(), type);
    }
    return {};
}

}  // namespace

TEST_CASE("every operation says what it is: an id, a summary, known tags, and which credentials it wants") {
    std::set<std::string> tags;
    for (const auto& tag : contract()["tags"]) {
        CHECK(tags.insert(tag["name"].get<std::string>()).second);
        CHECK_FALSE(tag["description"].get<std::string>().empty());
    }
    std::set<std::string> used;
    each_operation([&](const auto&, const auto&, const json& operation) {
        CHECK_FALSE(operation.value("operationId", "").empty());
        const auto summary = operation.value("summary", "");
        CHECK_FALSE(summary.empty());
        CHECK_FALSE(summary.ends_with('.'));
        REQUIRE(operation.value("tags", json::array()).size() == 1);
        CHECK(tags.contains(operation["tags"][0].get<std::string>()));
        used.insert(operation["tags"][0].get<std::string>());
        const auto security = operation.value("security", contract()["security"]);
        for (const auto& wanted : security) {
            for (const auto& [scheme, scopes] : wanted.items()) CHECK(contract()["components"]["securitySchemes"].contains(scheme));
        }
        CHECK(operation.value("tags", json())[0].is_string());
    });
    CHECK(used == tags);
}

TEST_CASE("every parameter is described, has a schema, and is given once") {
    each_operation([](const std::string& path, const auto&, const json& operation) {
        auto parameters = contract()["paths"][path].value("parameters", json::array());
        for (const auto& parameter : operation.value("parameters", json::array())) parameters.push_back(parameter);
        std::set<std::string> seen;
        for (const auto& reference : parameters) {
            const auto& parameter = resolved(reference);
            const auto name = parameter["in"].get<std::string>() + " " + parameter["name"].get<std::string>();
            CAPTURE(name);
            CHECK(seen.insert(name).second);
            CHECK_FALSE(parameter.value("description", "").empty());
            CHECK(parameter.contains("schema"));
            CHECK((parameter["in"] == "path") == parameter.value("required", false));
        }
    });
}

TEST_CASE("every reply is described and has a schema; every refusal is a problem") {
    const json problem = {{"$ref", "#/components/schemas/Problem"}};
    each_operation([&](const auto&, const auto&, const json& operation) {
        bool says_success = false;
        bool says_refusal = false;
        for (const auto& [status, reference] : operation["responses"].items()) {
            CAPTURE(status);
            const auto& response = resolved(reference);
            CHECK_FALSE(response.value("description", "").empty());
            if (status == "204" || status == "304") {
                CHECK_FALSE(response.contains("content"));
                says_success = says_success || status == "204";
                continue;
            }
            REQUIRE(response.contains("content"));
            for (const auto& [type, media] : response["content"].items()) CHECK(media.contains("schema"));
            says_success = says_success || status.starts_with('2');
            says_refusal = says_refusal || status.starts_with('4');
            if (!status.starts_with('2')) CHECK(response["content"].value("application/problem+json", json::object())["schema"] == problem);
        }
        CHECK(says_success);
        CHECK(says_refusal);
        CHECK(operation["responses"].contains("default"));
    });
}

TEST_CASE("a body has a schema for every type it may have, and a JSON one an example") {
    each_operation([](const std::string& path, const std::string& method, const json& operation) {
        static const std::set<std::string> say_all_in_their_path{"test_connector", "sync_ticket", "retry_delivery"};
        const bool takes_body = method == "post" || method == "put" || method == "patch";
        CHECK(operation.contains("requestBody") == (takes_body && !say_all_in_their_path.contains(operation["operationId"].get<std::string>())));
        if (!operation.contains("requestBody")) return;
        const auto& body = resolved(operation["requestBody"]);
        CHECK(body.value("required", false));
        CHECK_FALSE(body["content"].empty());
        for (const auto& [type, media] : body["content"].items()) CHECK(media.contains("schema"));
        if (!path.starts_with("/api/v1/ingest/")) CHECK(body["content"]["application/json"].contains("example"));  // those formats have documents of their own
    });
}

TEST_CASE("the contract's examples hold their schemas and are accepted") {
    int examples = 0;
    each_operation([&](const std::string& path, const std::string& method, const json& operation) {
        if (!operation.contains("requestBody")) return;
        for (const auto& [type, media] : resolved(operation["requestBody"])["content"].items()) {
            if (!media.contains("example")) continue;
            ++examples;
            for (const auto& violation : tests::schema_violations(media["example"], media["schema"])) FAIL_CHECK(violation);
            const auto status = sent(path, method, type, media["example"]).status;
            CHECK_MESSAGE((status >= 200 && status < 300), status);
        }
    });
    CHECK(examples >= 14);
}

TEST_CASE("schemas are consistent: what is required is described, enumerated values and defaults are of their type") {
    int schemas = 0;
    each_schema(contract(), "", [&](const std::string& place, const json& schema) {
        CAPTURE(place);
        ++schemas;
        REQUIRE(schema.is_object());
        if (schema.contains("$ref")) return;
        const auto properties = schema.value("properties", json::object());
        for (const auto& name : schema.value("required", json::array())) CHECK_MESSAGE(properties.contains(name.get<std::string>()), name);
        CHECK(strings_of(schema.value("required", json::array())).size() == schema.value("required", json::array()).size());
        auto bare = schema;
        bare.erase("enum");
        for (const auto& value : schema.value("enum", json::array())) CHECK(tests::schema_violations(value, bare).empty());
        const auto type = schema.value("type", json());
        if (schema.contains("default") && type != "array") CHECK(tests::schema_violations(schema["default"], schema).empty());
        if (type == "array" && schema.value("maxItems", 1) > 0) CHECK(schema.contains("items"));
        if (schema.contains("properties")) CHECK_MESSAGE(schema.value("additionalProperties", true) == false, "members that nobody described may appear");
    });
    CHECK(schemas > 500);
}

TEST_CASE("words that YAML 1.1 reads as true or false are quoted") {
    // Readers of the file itself may be that old; the served document is JSON.
    const auto files = api::embedded_files();
    const auto file = std::ranges::find(files, "openapi.yaml", &api::EmbeddedFile::path);
    REQUIRE(file != files.end());
    const std::string text{file->text};
    const std::regex bare{R"([\[,:] *(on|off|yes|no|y|n) *[\],}\n])", std::regex::icase};
    CHECK(std::regex_search(std::string{"enum: [off, production]"}, bare));
    std::smatch found;
    CHECK_FALSE_MESSAGE(std::regex_search(text, found, bare), found.str());
}
