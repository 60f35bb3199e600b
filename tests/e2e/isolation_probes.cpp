#include "tests/e2e/isolation_probes.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace catenary::tests {
namespace {

using api::http::Method;
using nlohmann::json;
using Stranger = Probe::Stranger;

const json span{{"from", "2026-03-05T00:00:00Z"}, {"to", "2026-03-06T00:00:00Z"}};

struct Probes {
    std::vector<Probe> rows;

    /// Something of the owner's, by its name.
    void hidden(Method method, const std::string& path, json body = {}, int owner = 200, int stranger = 404) {
        rows.push_back({.method = method, .path = path, .body = std::move(body), .stranger = stranger, .owner = owner});
    }
    /// A list, once with a filter that only the owner's records pass, and once as it is where `of_both` have some.
    void listed(const std::string& path, const std::string& filter) {
        if (!filter.empty()) rows.push_back({.method = Method::get, .path = path + "?" + filter, .expects = Stranger::empty});
        own(Method::get, path, {}, 200);
    }
    void own(Method method, const std::string& path, json body, int stranger, int owner) {
        rows.push_back({.method = method, .path = path, .body = std::move(body), .expects = Stranger::own, .stranger = stranger, .owner = owner});
    }
    void own(Method method, const std::string& path, json body, int both) { own(method, path, std::move(body), both, both); }
};

void add_reads(Probes& all, const TenantWorld& owner, const TenantWorld& stranger, const std::string& foreign) {
    const auto& name = owner.name();
    const auto entity = "/api/v1/entities/account/" + name + "-user1";
    const auto by_entity = "entity=account:" + name + "-user1";
    all.listed("/api/v1/signals", "source=" + name + "-source");
    all.listed("/api/v1/signals", by_entity);
    all.hidden(Method::get, "/api/v1/signals/" + name + "-source/" + name + "-0");
    all.hidden(Method::get, "/api/v1/signals/" + name + "-source/" + name + "-0?time=2026-03-03T10:00:00Z");
    all.listed("/api/v1/entities", "prefix=" + name);
    all.listed("/api/v1/entities", "tag=" + owner.secret());
    for (const auto* part : {"", "/timeline", "/neighbours", "/graph"}) all.hidden(Method::get, entity + part);

    all.listed("/api/v1/incidents", by_entity);
    all.listed("/api/v1/incidents", "pattern=" + owner.id("pattern"));
    all.listed("/api/v1/incidents", "q=" + name);
    for (const auto* part : {"", "/timeline", "/evidence", "/explanation", "/activity", "/graph", "/similar"}) {
        all.hidden(Method::get, "/api/v1/incidents/" + foreign + part);
    }
    all.listed("/api/v1/findings", "incident=" + foreign);
    all.listed("/api/v1/findings", "pattern=" + owner.id("pattern"));
    all.hidden(Method::get, "/api/v1/findings/" + owner.id("finding"));

    const auto pattern = "/api/v1/patterns/" + owner.id("pattern");
    for (const auto* part : {"", "/versions", "/versions/1", "/health"}) all.hidden(Method::get, pattern + part);
    all.listed("/api/v1/patterns", "");
    all.hidden(Method::get, "/api/v1/patterns/export?id=" + owner.id("pattern"));
    all.own(Method::get, "/api/v1/patterns/export", {}, 200);
    all.listed("/api/v1/partials", "pattern=" + owner.id("pattern"));
    all.listed("/api/v1/near-misses", "pattern=" + owner.id("pattern"));
    json question = span;
    question["entity"] = "account:" + name + "-user1";
    all.hidden(Method::post, pattern + "/why-not", question);
    all.own(Method::post, "/api/v1/patterns/" + stranger.id("pattern") + "/why-not", question, 200, 404);

    all.listed("/api/v1/connectors", "");
    all.hidden(Method::get, "/api/v1/connectors/" + name + "-desk");
    all.listed("/api/v1/tickets", "connector=" + name + "-desk");
    all.listed("/api/v1/tickets", "incident=" + foreign);
    all.listed("/api/v1/deliveries", "connector=" + name + "-desk");
    all.listed("/api/v1/deliveries", "ticket=" + owner.id("ticket"));
    all.hidden(Method::get, "/api/v1/jobs/" + owner.id("job"));
    all.listed("/api/v1/jobs", "");
    all.own(Method::get, "/api/v1/settings", {}, 200);
    all.own(Method::get, "/api/v1/diagnostics", {}, 200);
    all.own(Method::get, "/api/v1/tenants", {}, 403);
    all.listed("/api/v1/keys", "");
    all.listed("/api/v1/audit", "target=" + owner.id("pattern"));
    for (const auto* process : {"/healthz", "/readyz", "/version", "/metrics", "/openapi.json"}) all.own(Method::get, process, {}, 200);
}

void add_changes(Probes& all, const TenantWorld& owner, const TenantWorld& stranger, const std::string& foreign) {
    const auto incident = "/api/v1/incidents/" + foreign;
    const auto& finding = owner.id("finding");
    const auto desk = "/api/v1/connectors/" + owner.name() + "-desk";
    const auto own_desk = "/api/v1/connectors/" + stranger.name() + "-desk";
    const auto pattern = "/api/v1/patterns/" + owner.id("pattern");
    const json connector{{"connector", owner.name() + "-desk"}};
    for (const auto& remembered : owner.remembered()) {
        Probe probe{.method = Method::post, .path = remembered.path, .body = remembered.body, .owner = 201};
        probe.idempotency_key = remembered.key;
        probe.remembered = remembered.reply;
        if (remembered.path == "/api/v1/keys") probe.expects = Stranger::own, probe.stranger = 201;
        if (remembered.path.starts_with("/api/v1/incidents/1/comments")) probe.expects = Stranger::own, probe.stranger = 201;
        if (remembered.path.starts_with("/api/v1/incidents/1/tickets")) probe.stranger = 422;  // its own incident, and no such connector
        if (remembered.path.ends_with("/backtest") || remembered.path.ends_with("/tickets")) probe.owner = 202;
        all.rows.push_back(probe);
    }
    all.hidden(Method::post, incident + "/comments", {{"text", "seen"}}, 201);
    all.hidden(Method::patch, incident, {{"owner", "stranger"}});
    all.hidden(Method::post, incident + "/split", {{"findings", {finding}}}, 422);  // one finding has to stay
    all.hidden(Method::post, "/api/v1/incidents/1/split", {{"findings", {finding}}}, 422, 422);
    all.hidden(Method::post, incident + "/tickets", connector, 202);
    all.hidden(Method::post, incident + "/tickets", {{"connector", stranger.name() + "-desk"}}, 422);
    all.hidden(Method::post, "/api/v1/incidents/1/tickets", connector, 202, 422);
    all.hidden(Method::post, desk + "/preview", {{"incident", 1}});
    all.hidden(Method::post, own_desk + "/preview", {{"incident", std::stoi(foreign)}}, 404);
    all.own(Method::post, own_desk + "/preview", {{"incident", 1}}, 200, 404);
    all.hidden(Method::post, desk + "/test");
    all.hidden(Method::post, "/api/v1/tickets/" + owner.id("ticket") + "/sync", {}, 202);
    all.hidden(Method::post, "/api/v1/deliveries/" + owner.id("delivery") + "/retry", {}, 202);
    all.hidden(Method::post, pattern + "/backtest", span, 202);
    all.hidden(Method::put, pattern + "/deployment", {{"mode", "off"}});
    all.hidden(Method::delete_, "/api/v1/jobs/" + owner.id("job"), {}, 409);  // it has ended
    all.hidden(Method::post, "/api/v1/keys/" + owner.id("key") + "/rotate", json::object(), 201);
    all.hidden(Method::delete_, "/api/v1/keys/" + owner.id("key"), {}, 204);
    Probe hook{.method = Method::post, .path = "/api/v1/hooks/" + owner.id("hook"), .owner = 202};
    hook.body = {{"type", "ticket.changed"}, {"timestamp", "2026-03-06T08:00:00Z"}, {"data", {{"ticket", "1"}, {"status", "solved"}, {"closed", true}}}};
    hook.is_hook = true;
    all.rows.push_back(hook);
    all.hidden(Method::post, "/api/v1/incidents/1/merge", {{"numbers", {std::stoi(foreign)}}}, 200, 422);
    all.hidden(Method::post, incident + "/merge", {{"into", 1}}, 409);  // it is merged by now
    auto changed = owner.pattern_document();
    changed["within"] = "23h";
    all.hidden(Method::put, pattern, changed);
    all.hidden(Method::delete_, pattern, {}, 204);
    all.hidden(Method::delete_, desk, {}, 204);
}

void add_own(Probes& all, const TenantWorld& owner) {
    const json signal{{"id", owner.name() + "-0"},      {"source", owner.name() + "-source"},
                      {"time", "2026-03-05T10:00:00Z"}, {"domain", "endpoint"},
                      {"name", "test_other"},           {"confidence", 0.1}};
    all.own(Method::post, "/api/v1/signals", signal, 201, 409);
    all.own(Method::post, "/api/v1/ingest/ecs", owner.ecs(), 201, 200);
    all.own(Method::post, "/api/v1/ingest/ocsf", owner.ocsf(), 201, 200);
    all.own(Method::post, "/api/v1/ingest/cloudevents", owner.cloudevent(), 201, 200);
    all.own(Method::put, "/api/v1/entities/account/" + owner.name() + "-user1", {{"link", "deny"}}, 200);
    all.own(Method::post, "/api/v1/patterns:validate", owner.pattern_document(), 200);
    all.own(Method::post, "/api/v1/patterns", owner.pattern_document(), 201);
    all.own(Method::post, "/api/v1/patterns/import",
            {{"title", "r"},
             {"name", owner.name() + "-rule"},
             {"correlation", {{"type", "event_count"}, {"rules", {"failed"}}, {"group-by", {"User"}}, {"timespan", "10m"}, {"condition", {{"gte", 20}}}}}},
            200);
    all.own(Method::put, "/api/v1/connectors/" + owner.name() + "-desk", owner.connector_document("http://127.0.0.1:1"), 201);
    all.own(Method::put, "/api/v1/settings", {{"lateness", "2h"}}, 200);
    all.own(Method::post, "/api/v1/watermark", {{"time", "2026-03-07T00:00:00Z"}}, 200);
    all.own(Method::post, "/api/v1/tenants", {{"name", "third"}}, 403);
}

}  // namespace

std::vector<Probe> isolation_probes(const TenantWorld& owner, const TenantWorld& stranger, int foreign) {
    Probes all;
    add_reads(all, owner, stranger, std::to_string(foreign));
    add_changes(all, owner, stranger, std::to_string(foreign));
    add_own(all, owner);
    return all.rows;
}

std::string method_name(Method method) {
    switch (method) {
        case Method::get: return "GET";
        case Method::post: return "POST";
        case Method::put: return "PUT";
        case Method::patch: return "PATCH";
        case Method::delete_: return "DELETE";
        case Method::head:
        case Method::other: break;
    }
    throw std::logic_error("no method of the table of routes");
}

}  // namespace catenary::tests
