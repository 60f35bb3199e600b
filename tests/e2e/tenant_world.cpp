#include "tests/e2e/tenant_world.hpp"

#include "server/tickets/signatures.hpp"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace catenary::tests {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr const char* signing_secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";

/// Of each tenant another one: 24 bytes of its name.
std::string hook_secret(const std::string& name) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text = "whsec_";
    for (std::size_t i = 0; i < 32; ++i) text += letters[(static_cast<unsigned char>(name[i % name.size()]) + i) % letters.size()];
    return text;
}

std::string segment(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

TenantWorld::TenantWorld(const ServerProcess& server, const HttpSite& desk, std::string name, int incidents)
    : name_{std::move(name)}, secret_{"secret-of-" + name_}, key_{server.tenant_key(name_)}, client_{server.url(), key_} {
    ecs_ = {{"@timestamp", "2026-03-05T09:00:00Z"},
            {"event", {{"id", name_ + "-ecs"}, {"module", name_ + "-source"}, {"action", "opened"}}},
            {"message", secret_},
            {"user", {{"name", name_ + "-user1"}}}};
    ocsf_ = {{"class_uid", 3002},
             {"activity_id", 1},
             {"status_id", 2},
             {"time", 1772701200000},
             {"message", secret_},
             {"metadata", {{"uid", name_ + "-ocsf"}, {"product", {{"name", name_ + "-source"}}}}},
             {"user", {{"name", name_ + "-user1"}}}};
    cloudevent_ = {{"specversion", "1.0"}, {"id", name_ + "-event"}, {"source", name_ + "-source"}, {"type", "door_forced"}, {"time", "2026-03-05T09:00:00Z"},
                   {"domain", "ot"},       {"data", secret_}};

    ids_["hook"] = segment(make("PUT", "/api/v1/connectors/" + name_ + "-desk", connector_document(desk.url()))["hook"].get<std::string>());
    make("POST", "/api/v1/patterns", pattern_document());
    make("POST", "/api/v1/signals", signals(incidents));
    make("POST", "/api/v1/ingest/ecs", ecs_);
    make("POST", "/api/v1/ingest/ocsf", ocsf_);
    make("POST", "/api/v1/ingest/cloudevents", cloudevent_);
    make("PUT", "/api/v1/entities/account/" + name_ + "-user1", {{"tags", {secret_}}, {"criticality", "high"}, {"facts", {{"note", secret_}}}});
    make("PUT", "/api/v1/settings", {{"group_within", "13h"}});
    ids_["key"] = make("POST", "/api/v1/keys", {{"scopes", {"signals:read"}}, {"sources", {name_ + "-source"}}}, true)["id"].get<std::string>();
    wait_until_settled(incidents);
    write_about_incidents(incidents);
    ids_["job"] =
        make("POST", "/api/v1/patterns/" + id("pattern") + "/backtest", {{"from", "2026-03-05T00:00:00Z"}, {"to", "2026-03-06T00:00:00Z"}}, true)["id"]
            .get<std::string>();
    wait_until_settled(incidents);
    learn_ids(incidents);
}

std::vector<std::string> TenantWorld::marks() const {
    std::vector<std::string> marks{name_, secret_};
    for (const auto* unique : {"hook", "key", "job", "finding"}) marks.push_back(id(unique));
    return marks;
}

json TenantWorld::pattern_document() const {
    return {{"id", name_ + "-chain"},
            {"title", secret_ + " chain"},
            {"severity", "high"},
            {"within", "24h"},
            {"link", {{"same", {"account"}}}},
            {"stages",
             {{{"id", "copied"}, {"match", {{"name", "test_copied"}}}},
              {{"id", "packed"}, {"match", {{"name", "test_packed"}}}},
              {{"id", "sent"}, {"match", {{"name", "test_sent"}}}}}}};
}

json TenantWorld::connector_document(const std::string& host) const {
    return {{"kind", "webhook"},
            {"url", host + "/" + name_},
            {"title", secret_ + " {title}"},
            {"closing", "apply"},
            {"secrets", {{"signing", signing_secret}, {"hook", hook_secret(name_)}}}};
}

/// Two stages of three a while ago, all three for each incident, and two just now.
json TenantWorld::signals(int incidents) const {
    auto all = json::array();
    const auto add = [&](const std::string& signal, const std::string& time, int user) {
        all.push_back({{"id", fmt::format("{}-{}", name_, all.size())},
                       {"source", name_ + "-source"},
                       {"time", time},
                       {"domain", "endpoint"},
                       {"name", signal},
                       {"title", secret_ + " title"},
                       {"severity", "high"},
                       {"confidence", 0.6},
                       {"entities",
                        {{{"kind", "account"}, {"value", fmt::format("{}-user{}", name_, user)}, {"role", "actor"}},
                         {{"kind", "host"}, {"value", fmt::format("{}-host{}", name_, user)}},
                         {{"kind", "file"}, {"value", "/home/" + secret_}}}},
                       {"attributes", {{"note", secret_}}}});
    };
    add("test_copied", "2026-03-03T10:00:00Z", 9);
    add("test_packed", "2026-03-03T11:00:00Z", 9);
    for (const auto& [signal, hour] : {std::pair{"test_copied", 10}, std::pair{"test_packed", 11}, std::pair{"test_sent", 12}}) {
        for (int user = 1; user <= incidents; ++user) add(signal, fmt::format("2026-03-05T{}:{:02}:00Z", hour, user), user);
    }
    add("test_copied", "2026-03-06T10:00:00Z", 8);
    add("test_packed", "2026-03-06T11:00:00Z", 8);
    return all;
}

void TenantWorld::write_about_incidents(int incidents) {
    for (int number = 1; number <= incidents; ++number) {
        const auto path = fmt::format("/api/v1/incidents/{}", number);
        make("PATCH", path, {{"owner", secret_}, {"labels", {secret_}}, {"title", secret_ + " incident"}});
        make("POST", path + "/comments", {{"text", secret_}}, true);
        make("POST", path + "/tickets", {{"connector", name_ + "-desk"}}, true);
    }
}

void TenantWorld::learn_ids(int incidents) {
    ids_["ticket"] = get(fmt::format("/api/v1/tickets?incident={}", incidents))["items"].at(0)["id"].get<std::string>();
    ids_["delivery"] = get("/api/v1/deliveries?ticket=" + id("ticket"))["items"].at(0)["id"].get<std::string>();
    ids_["finding"] = get(fmt::format("/api/v1/findings?incident={}", incidents))["items"].at(0)["id"].get<std::string>();
    if (get("/api/v1/near-misses")["items"].empty() || get("/api/v1/partials")["items"].empty()) throw std::runtime_error("no chain that is part-way or over");
}

void TenantWorld::wait_until_settled(int incidents) {
    wait_until_correlated(client_);
    ids_.try_emplace("pattern", name_ + "-chain");
    const auto is_settled = [&] {
        const auto jobs = get("/api/v1/jobs")["items"];
        for (const auto& job : jobs) {
            if (job["state"] != "done") return false;
        }
        const auto tickets = get("/api/v1/tickets")["items"];
        std::size_t done = 0;
        for (const auto& ticket : tickets) done += ticket["state"] == "done" && ticket["wanted_revision"] == ticket["delivered_revision"] ? 1 : 0;
        return done == static_cast<std::size_t>(incidents) && tickets.size() == done;
    };
    const auto give_up = std::chrono::steady_clock::now() + 60s;
    while (!is_settled()) {
        if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("not settled: " + get("/api/v1/tickets").dump() + get("/api/v1/jobs").dump());
        std::this_thread::sleep_for(50ms);
    }
}

std::vector<std::string> TenantWorld::hook_headers(const std::string& body) const {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    return {"Webhook-Id: msg_1", fmt::format("Webhook-Timestamp: {}", now),
            "Webhook-Signature: " + server::tickets::webhook_signature({hook_secret(name_)}, "msg_1", now, body)};
}

json TenantWorld::get(const std::string& path) {
    const auto reply = client_.get(path);
    if (reply.status != 200) throw std::runtime_error(fmt::format("{} {}: {}", path, reply.status, reply.body));
    return json::parse(reply.body);
}

json TenantWorld::make(const std::string& method, const std::string& path, const json& body, bool is_remembered) {
    const auto text = body.dump();
    server::ApiClient::Request request{.method = method, .path = path, .body = text, .headers = {}};
    if (is_remembered) request.headers.push_back("Idempotency-Key: " + name_ + path);
    const auto reply = client_.send(request);
    if (reply.status >= 300 || reply.status == 207) throw std::runtime_error(fmt::format("{} {}: {} {}", method, path, reply.status, reply.body));
    if (is_remembered) remembered_.push_back({path, name_ + path, body, reply.body});
    return json::parse(reply.body);
}

}  // namespace catenary::tests
