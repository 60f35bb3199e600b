#include "tests/api/refused/refused_input.hpp"

#include "api/http/target.hpp"
#include "api/routes.hpp"
#include "tests/support/fake_api.hpp"
#include "tests/support/schema_check.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

using namespace catenary;
using api::http::Method;
using nlohmann::json;
using tests::Pointers;

namespace {

/// What the rows speak of, and whether any of them changed it.
struct World {
    World() {
        for (const auto number : {17, 18, 19, 20}) api.incidents.records.emplace(number, tests::incident_of_two(number));
        api.incidents.records.at(19).status = engine::IncidentStatus::closed;
        api.incidents.records.at(20).merged_into = engine::IncidentNumber{17};
        auto second = tests::finding_of_two();
        auto id = second.id.value();
        ++id.data[15];
        second.id = engine::FindingId{id};
        api.incidents.found = {tests::finding_of_two(), second};
        api.findings.rows = {{tests::finding_of_two(), {}}};
        api.signals.rows = {tests::stored_sign_in()};
        api.entities.rows = {{{"account", "j.morrison@ne.example"}, true}};
        REQUIRE(api.post("/api/v1/patterns", json::parse(R"({"id":"own","title":"T","within":"1h","stages":[{"id":"a","match":{"name":"x"}}]})")).status ==
                201);
        REQUIRE(api.post("/api/v1/keys", {{"scopes", {"signals:write"}}}).status == 201);
        REQUIRE(api.post("/api/v1/tenants", {{"name", "acme"}}).status == 201);
        REQUIRE(api.put("/api/v1/connectors/soc", tests::redmine_document()).status == 201);
        api.desk.rows = {tests::ticket_of(17)};
        REQUIRE(api.post("/api/v1/patterns/own/backtest", {{"from", "2026-03-01T00:00:00Z"}, {"to", "2026-03-02T00:00:00Z"}}).status == 202);
        api.jobs.rows[0].state = api::ports::JobState::done;
        before = writes();
    }
    std::vector<std::size_t> writes() const {
        const auto& own = api.patterns.stored.at("own");
        return {api.control.watermarks.size(),
                api.control.edits.size(),
                api.control.merges.size(),
                api.control.splits.size(),
                api.control.comments.size(),
                api.patterns.stored.size(),
                api.patterns.former.size(),
                api.jobs.asked.size(),
                static_cast<std::size_t>(api.jobs.rows[0].state),
                static_cast<std::size_t>(own.revision),
                api.tenants.rows.size(),
                api.tenants.tenants.size(),
                static_cast<std::size_t>(api.settings.stored.revision),
                api.desk.stored.size(),
                api.desk.asked_again,
                static_cast<std::size_t>(api.desk.stored.at("soc").revision)};
    }
    tests::FakeApi api;
    std::vector<std::size_t> before;
};

Pointers faults_of(const json& problem) {
    Pointers faults;
    if (!problem.contains("errors")) return faults;
    for (const auto& error : problem["errors"]) {
        faults.emplace_back(error["pointer"].get<std::string>(), error["code"].get<std::string>());
        CHECK_FALSE(error["detail"].get<std::string>().empty());
    }
    return faults;
}

const api::Route& route_of(Method method, std::string_view target) {
    const auto parsed = api::http::parse_target(target);
    REQUIRE(parsed.has_value());
    const auto match = api::find_route(method, parsed->segments);
    REQUIRE(match.route != nullptr);
    return *match.route;
}

/// A path of the contract with what the world has in place of its names.
std::string path_in_world(std::string path) {
    static const std::map<std::string, std::string> known{
        {"{number}", "17"}, {"{name}", "soc"}, {"{source}", "entra_id"}, {"{kind}", "account"}, {"{value}", "j.morrison@ne.example"}, {"{version}", "1"}};
    std::string filled;
    for (std::size_t at = 0; at < path.size();) {
        const auto open = path.find('{', at);
        filled += path.substr(at, open - at);
        if (open == std::string::npos) break;
        const auto close = path.find('}', open) + 1;
        const auto name = path.substr(open, close - open);
        if (const auto it = known.find(name); it != known.end()) filled += it->second;
        else if (path.starts_with("/api/v1/signals")) filled += "aad-7f3";
        else if (path.starts_with("/api/v1/findings")) filled += "3b241101-e2bb-5255-8caf-4136c566a962";
        else if (path.starts_with("/api/v1/jobs")) filled += "5c0ffee0-0000-4000-8000-000000000001";
        else if (path.starts_with("/api/v1/keys")) filled += "k1";
        else if (path.starts_with("/api/v1/tickets") || path.starts_with("/api/v1/deliveries")) filled += "7";
        else filled += "own";
        at = close;
    }
    return filled;
}

/// Name and schema of the query parameters of an operation.
std::map<std::string, json> parameters_of(const api::Route& route) {
    const auto& item = tests::contract()["paths"][std::string{route.path}];
    std::map<std::string, json> found;
    for (const auto& list : {item.value("parameters", json::array()), item[std::string{tests::method_word(route.method)}].value("parameters", json::array())}) {
        for (const auto& parameter : list) {
            const auto& full = tests::resolved(parameter);
            if (full["in"] == "query") found[full["name"].get<std::string>()] = full["schema"];
        }
    }
    return found;
}

/// Values that a parameter of the schema must refuse, and the code it must refuse them with.
std::vector<std::pair<std::string, std::string>> bad_values(const json& unresolved) {
    const auto& schema = tests::resolved(unresolved);
    const auto type = schema.value("type", "");
    if (type == "array") return bad_values(schema["items"]);
    std::vector<std::pair<std::string, std::string>> bad{{"", "missing"}};
    if (schema.contains("enum")) bad.emplace_back("unheard-of", "out_of_range");
    if (schema.value("format", "") == "date-time") bad.emplace_back("2026-03-05", "malformed");
    if (type == "boolean") bad.emplace_back("yes", "out_of_range");
    if (type == "integer" || type == "number") bad.emplace_back("many", "malformed");
    if (type == "integer") bad.emplace_back("1.5", "malformed");
    if (schema.contains("minimum")) bad.emplace_back(std::to_string(schema["minimum"].get<std::int64_t>() - 1), "out_of_range");
    if (schema.contains("maximum")) bad.emplace_back(std::to_string(schema["maximum"].get<std::int64_t>() + 1), "out_of_range");
    return bad;
}

}  // namespace

TEST_CASE("what is refused is said with status, place and code, and changes nothing") {
    for (const auto& row : tests::every_refused_input()) {
        CAPTURE(row.name);
        CAPTURE(row.target);
        CAPTURE(row.body.substr(0, 200));
        World world;
        const auto reply = world.api.send(row.method, row.target, row.body, row.type);
        CHECK(reply.status == row.status);
        CHECK(faults_of(reply.body) == row.faults);
        CHECK(world.writes() == world.before);
    }
}

TEST_CASE("every route has its rows of refused input") {
    std::set<const api::Route*> covered;
    for (const auto& row : tests::every_refused_input()) covered.insert(&route_of(row.method, row.target));
    for (const auto& route : api::routes()) CHECK_MESSAGE(covered.contains(&route), tests::method_word(route.method), " ", route.path, " has no row");
}

TEST_CASE("every route knows the parameters that the contract gives it, and refuses all others by name") {
    std::set<std::string> all{"unheard_of"};
    for (const auto& route : api::routes()) {
        for (const auto& [name, schema] : parameters_of(route)) all.insert(name);
    }
    for (const auto& route : api::routes()) {
        const auto known = parameters_of(route);
        for (const auto& name : all) {
            World world;
            const auto target = path_in_world(std::string{route.path}) + "?" + name + "=%25";
            const auto reply = world.api.send(route.method, target, "{}", "application/json");
            const auto faults = faults_of(reply.body);
            const auto refused = std::ranges::find(faults, std::pair{"/" + name, std::string{"unknown_field"}}) != faults.end();
            CHECK_MESSAGE(refused == !known.contains(name), tests::method_word(route.method), " ", target);
            if (refused) CHECK(reply.status == 400);
            CHECK(world.writes() == world.before);
        }
    }
}

TEST_CASE("a parameter refuses what its schema in the contract rules out") {
    int tried = 0;
    for (const auto& route : api::routes()) {
        for (const auto& [name, schema] : parameters_of(route)) {
            for (const auto& [value, code] : bad_values(schema)) {
                if (name == "cursor" && !value.empty()) continue;
                World world;
                const auto target = path_in_world(std::string{route.path}) + "?" + name + "=" + value;
                CAPTURE(target);
                const auto reply = world.api.send(route.method, target, "{}", "application/json");
                CHECK(reply.status == 400);
                CHECK(faults_of(reply.body) == Pointers{{"/" + name, code}});
                ++tried;
            }
        }
    }
    CHECK(tried > 200);
}

TEST_CASE("a control document refuses a member that nobody reads, wherever it is sent") {
    for (const auto& route : api::routes()) {
        if (route.method == Method::get || route.method == Method::delete_) continue;
        if (route.path.starts_with("/api/v1/ingest/") || route.path == api::hooks_path) continue;  // documents of others
        if (!tests::contract()["paths"][std::string{route.path}][std::string{tests::method_word(route.method)}].contains("requestBody")) continue;
        World world;
        const auto target = path_in_world(std::string{route.path});
        CAPTURE(target);
        const auto reply = world.api.send(route.method, target, R"({"unheard_of":1})", "application/json");
        CHECK(reply.status == 422);
        const auto faults = faults_of(reply.body);
        CHECK(std::ranges::find(faults, std::pair<std::string, std::string>{"/unheard_of", "unknown_field"}) != faults.end());
        CHECK(world.writes() == world.before);
    }
}
