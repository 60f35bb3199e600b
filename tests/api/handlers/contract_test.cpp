#include "api/routes.hpp"
#include "tests/support/fake_api.hpp"
#include "tests/support/schema_check.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <set>
#include <string>

using namespace catenary;
using api::http::Method;
using nlohmann::json;

namespace {

std::set<std::string> routed() {
    std::set<std::string> all;
    for (const auto& route : api::routes()) {
        const auto line = std::string{tests::method_word(route.method)} + " " + std::string{route.path};
        CHECK_MESSAGE(all.insert(line).second, line, " is routed twice");
    }
    return all;
}

/// Every {"$ref"} below a value.
void collect_references(const json& value, std::set<std::string>& references) {
    if (value.is_structured()) {
        for (const auto& [name, member] : value.items()) {
            if (name == "$ref" && member.is_string()) references.insert(member.get<std::string>());
            else collect_references(member, references);
        }
    }
}

}  // namespace

TEST_CASE("routes and contract name the same operations") {
    std::set<std::string> documented;
    for (const auto& [path, item] : tests::contract()["paths"].items()) {
        for (const auto& [method, operation] : item.items()) {
            if (method != "parameters") documented.insert(method + " " + path);
        }
    }
    CHECK(routed() == documented);
}

TEST_CASE("the contract says of every operation which scope it needs, as the routes do") {
    for (const auto& route : api::routes()) {
        const auto& operation = tests::contract()["paths"][std::string{route.path}][std::string{tests::method_word(route.method)}];
        CAPTURE(route.path);
        if (route.scope == api::Scope::none) {
            CHECK(operation.value("security", json()) == json::array());
            continue;
        }
        CHECK_FALSE(operation.contains("security"));
        const auto scope = "`" + std::string{api::to_string(route.scope)} + "`";
        CHECK_MESSAGE(operation.value("description", "").find(scope) != std::string::npos, scope);
    }
}

TEST_CASE("the contract documents every path parameter, has unique operation ids and no dead references") {
    std::set<std::string> ids;
    for (const auto& [path, item] : tests::contract()["paths"].items()) {
        for (const auto& [method, operation] : item.items()) {
            if (method == "parameters") continue;
            CHECK(ids.insert(operation["operationId"].get<std::string>()).second);
            CHECK(operation.contains("summary"));
            auto parameters = item.value("parameters", json::array());
            for (const auto& parameter : operation.value("parameters", json::array())) parameters.push_back(parameter);
            std::set<std::string> in_path;
            for (const auto& parameter : parameters) {
                const auto full =
                    parameter.contains("$ref") ? tests::contract().at(json::json_pointer(parameter["$ref"].get<std::string>().substr(1))) : parameter;
                if (full["in"] == "path") in_path.insert("{" + full["name"].get<std::string>() + "}");
            }
            for (const auto& name : in_path) CHECK(path.find(name) != std::string::npos);
            CHECK(static_cast<std::size_t>(std::count(path.begin(), path.end(), '{')) == in_path.size());
        }
    }
    std::set<std::string> references;
    collect_references(tests::contract(), references);
    for (const auto& reference : references) {
        CAPTURE(reference);
        CHECK(tests::contract().contains(json::json_pointer(reference.substr(1))));
    }
    for (const auto* kind : {"schemas", "parameters", "responses", "requestBodies", "headers"}) {
        for (const auto& [name, unused] : tests::contract()["components"][kind].items()) {
            CHECK_MESSAGE(references.contains(std::string{"#/components/"} + kind + "/" + name), name, " is used by nothing");
        }
    }
}

TEST_CASE("routes are found by decoded segments, and say which methods a path takes") {
    const auto found = api::find_route(Method::get, {"api", "v1", "patterns", "a/b:c%"});
    REQUIRE(found.route != nullptr);
    CHECK(found.route->path == "/api/v1/patterns/{id}");
    CHECK(api::find_route(Method::head, {"api", "v1", "patterns", "a"}).route == found.route);
    CHECK(api::find_route(Method::post, {"api", "v1", "patterns:validate"}).route->path == "/api/v1/patterns:validate");
    const bool is_the_sessions = api::find_route(Method::post, {"api", "v1", "signals"}).route->handler == nullptr;
    CHECK(is_the_sessions);

    // Whatever stands before or behind it in the table, each is found by its own path.
    for (const auto& route : api::routes()) {
        CAPTURE(route.path);
        std::vector<std::string> segments;
        for (std::size_t at = 1, end = 0; end != std::string_view::npos; at = end + 1) {
            end = route.path.find('/', at);
            const std::string segment{route.path.substr(at, end - at)};
            segments.push_back(segment.starts_with('{') ? "7" : segment);
        }
        CHECK(api::find_route(route.method, segments).route == &route);
    }
    const auto plain = api::find_route(Method::put, {"api", "v1", "patterns", "export"});
    CHECK(plain.route == nullptr);
    CHECK(plain.allowed == std::vector{Method::get, Method::head});
    CHECK(api::find_route(Method::get, {"api", "v1", "patterns", "export"}).route->path == "/api/v1/patterns/export");
    const auto refused = api::find_route(Method::delete_, {"api", "v1", "incidents", "17"});
    CHECK(refused.route == nullptr);
    CHECK(refused.allowed == std::vector<Method>{Method::get, Method::head, Method::patch});
    for (const auto& segments :
         {std::vector<std::string>{}, {""}, {"api"}, {"api", "v1", "patterns", ""}, {"api", "v1", "patterns", "a", ""}, {"api/v1/patterns"}}) {
        const auto none = api::find_route(Method::get, segments);
        CHECK(none.route == nullptr);
        CHECK(none.allowed.empty());
    }
}

TEST_CASE("the schema checker finds what it is for") {
    const auto schema = json::parse(R"({"type": "object", "additionalProperties": false, "required": ["a"],
        "properties": {"a": {"type": ["integer", "null"]}, "b": {"type": "array", "items": {"enum": [1, 2]}}, "c": {"$ref": "#/components/schemas/Severity"}}})");
    CHECK(tests::schema_violations(json::parse(R"({"a": null, "b": [1, 2], "c": "low"})"), schema).empty());
    for (const auto* bad : {R"([])", R"({})", R"({"a": 1.5})", R"({"a": 1, "x": 1})", R"({"a": 1, "b": [3]})", R"({"a": 1, "c": "urgent"})"}) {
        CAPTURE(std::string{bad});
        CHECK(tests::schema_violations(json::parse(bad), schema).size() == 1);
    }
    CHECK(tests::schema_violations(1, {{"typ", "integer"}}).size() == 1);
}
