#include "tests/api/refused/refused_input.hpp"

// Patterns, and what administrators do. "own" is a pattern of the tenant, "mfa-fatigue" ships; k1 is a key.

namespace catenary::tests {

using api::http::Method;

namespace {

std::string pattern_with(const std::string& members, const std::string& id = "own") {
    return R"({"id":")" + id + R"(","title":"T","within":"1h","stages":[{"id":"a","match":{"name":"x"}}])" + members + "}";
}

/// Faults of a document, wherever it is sent.
void add_documents(RefusedInputs& rows, Method method, const std::string& path) {
    add_document(rows, method, path);
    const auto send = [&](std::string name, std::string body, Pointers faults, int status = 422, std::string type = "application/json") {
        rows.push_back({std::move(name), method, path, std::move(body), status, std::move(faults), std::move(type)});
    };
    send("an empty document", "{}", {{"/id", "missing"}, {"/title", "missing"}, {"/within", "missing"}, {"/stages", "missing"}});
    send("an unknown member", pattern_with(R"(,"colour":"red")"), {{"/colour", "unknown_field"}});
    send("a severity that is none", pattern_with(R"(,"severity":"critical")"), {{"/severity", "out_of_range"}});
    send("a mode that is none", pattern_with(R"(,"mode":"prod")"), {{"/mode", "out_of_range"}});
    send("a time that is none", pattern_with(R"(,"effective_from":"soon")"), {{"/effective_from", "malformed"}});
    send("an anchor in YAML", "id: &a own", {{"/id", "unsupported"}}, 422, "application/yaml");
    send("a member twice in YAML", "id: own\nid: own", {{"/id", "conflict"}}, 422, "application/yaml");
    send("YAML that is none", "id: [", {{"", "malformed"}}, 400, "application/yaml");
}

void add_deployments(RefusedInputs& rows) {
    const std::string path = "/api/v1/patterns/own/deployment";
    const auto put = [&](std::string name, std::string body, Pointers faults) {
        rows.push_back({std::move(name), Method::put, path, std::move(body), 422, std::move(faults)});
    };
    add_document(rows, Method::put, path);
    put("no mode", "{}", {{"/mode", "missing"}});
    put("another member", R"({"mode":"off","until":1})", {{"/until", "unknown_field"}});
    put("version nought", R"({"mode":"off","version":0})", {{"/version", "out_of_range"}});
    put("a version that is a word", R"({"mode":"off","version":"newest"})", {{"/version", "wrong_type"}});
    put("a version that there is not yet", R"({"mode":"production","version":2})", {{"/version", "out_of_range"}});
    put("no such mode", R"({"mode":"prod"})", {{"/mode", "out_of_range"}});
    put("a mode that is no word", R"({"mode":false})", {{"/mode", "wrong_type"}});
    put("on trial instead of in production", R"({"mode":"flighting"})", {{"/mode", "conflict"}});
    put("a time that is none", R"({"mode":"off","effective_from":"yesterday"})", {{"/effective_from", "malformed"}});
    put("off from a time on", R"({"mode":"off","effective_from":"2026-03-01T00:00:00Z"})", {{"/effective_from", "conflict"}});
    put("on already", R"({"mode":"production","effective_from":"2026-03-01T00:00:00Z"})", {{"/effective_from", "conflict"}});
    rows.push_back({"a pattern that there is not", Method::put, "/api/v1/patterns/none/deployment", R"({"mode":"off"})", 404});
}

/// Rules of another language.
void add_rules(RefusedInputs& rows) {
    const std::string path = "/api/v1/patterns/import";
    const auto post = [&](std::string name, std::string body, int status, Pointers faults, std::string type = "application/yaml") {
        rows.push_back({std::move(name), Method::post, path, std::move(body), status, std::move(faults), std::move(type)});
    };
    const auto rule = [](const std::string& id, const std::string& members) { return "title: T\nname: " + id + "\ncorrelation: {" + members + "}\n"; };
    const std::string counted = "type: event_count, rules: [a], group-by: [user], timespan: 5m, condition: ";
    post("no rules", "[]", 422, {{"", "out_of_range"}}, "application/json");
    post("no text", "", 400, {{"", "malformed"}});
    post("text that is no YAML", "title: [", 400, {{"", "malformed"}});
    post("an alias", "a: &b c\n---\nd: *b\n", 422, {{"/0/a", "unsupported"}});
    post("JSON that is none", "{", 400, {{"", "malformed"}}, "application/json");
    post("another type", "a,b", 415, {}, "text/csv");
    post("a selection alone", "title: T\nname: n\ndetection: {selection: {a: 1}, condition: selection}\n", 422, {{"", "missing"}});
    post("text as a rule", "just text", 422, {{"/0", "wrong_type"}});
    post("no title", "correlation: {" + counted + "{gte: 2}}\n", 422, {{"/0/title", "missing"}});
    post("another language", rule("n", counted + "{gte: 2}"), 400, {{"/format", "out_of_range"}});
    rows.back().target += "?format=kql";
    post("too few", rule("n", counted + "{gte: 0}"), 422, {{"/0/correlation/condition/gte", "out_of_range"}});
    post("an id that is taken", rule("own", counted + "{gte: 2}"), 422, {{"/0", "conflict"}});
    post("an id of what ships", rule("mfa-fatigue", counted + "{gte: 2}"), 422, {{"/0", "conflict"}});
    post("an id too long", rule(std::string(129, 'x'), counted + "{gte: 2}"), 422, {{"/0/name", "out_of_range"}});
    std::string many = "a: 1\n";
    for (int i = 0; i < 200; ++i) many += "---\na: 1\n";
    post("too many", many, 422, {{"", "too_large"}});
    rows.push_back({"no such language", Method::get, "/api/v1/patterns/export?format=kql", "", 400, {{"/format", "out_of_range"}}});
    rows.push_back({"a pattern that there is not", Method::get, "/api/v1/patterns/export?id=none", "", 404});
    rows.push_back(
        {"one stage that is not counted", Method::get, "/api/v1/patterns/export?id=own", "", 422, {{"/stages", "unsupported"}, {"/stages/0", "unsupported"}}});
}

void add_backtests(RefusedInputs& rows) {
    const std::string path = "/api/v1/patterns/own/backtest";
    const std::string march = R"("from":"2026-03-01T00:00:00Z","to":"2026-03-31T00:00:00Z")";
    const auto post = [&](std::string name, std::string body, Pointers faults) {
        rows.push_back({std::move(name), Method::post, path, std::move(body), 422, std::move(faults)});
    };
    add_document(rows, Method::post, path);
    post("no interval", "{}", {{"/from", "missing"}, {"/to", "missing"}});
    post("times that are none", R"({"from":"yesterday","to":5})", {{"/from", "malformed"}, {"/to", "wrong_type"}});
    post("an interval of nothing", R"({"from":"2026-03-01T00:00:00Z","to":"2026-03-01T00:00:00Z"})", {{"/to", "out_of_range"}});
    post("version nought", "{" + march + R"(,"version":0})", {{"/version", "out_of_range"}});
    post("a version that is a word", "{" + march + R"(,"version":"newest"})", {{"/version", "wrong_type"}});
    post("a version and a document", "{" + march + R"(,"version":1,"document":)" + pattern_with("") + "}", {{"/version", "conflict"}});
    post("a document of another id", "{" + march + R"(,"document":)" + pattern_with("", "other") + "}", {{"/document/id", "conflict"}});
    post("a document with a fault", "{" + march + R"(,"document":)" + pattern_with(R"(,"colour":"red")") + "}", {{"/document/colour", "unknown_field"}});
    post("a document that is none", "{" + march + R"(,"document":[]})", {{"/document", "wrong_type"}});
    rows.push_back({"a version that there is not", Method::post, path, "{" + march + R"(,"version":9})", 404});
    rows.push_back({"a pattern that there is not", Method::post, "/api/v1/patterns/none/backtest", "{" + march + "}", 404});

    add_paging(rows, "/api/v1/jobs");
    for (const auto method : {Method::get, Method::delete_}) {
        rows.push_back({"a job that is no id", method, "/api/v1/jobs/own", "", 404});
        rows.push_back({"a job that there is not", method, "/api/v1/jobs/5c0ffee0-0000-4000-8000-000000000009", "", 404});
    }
    rows.push_back({"the end of a job that is done", Method::delete_, "/api/v1/jobs/5c0ffee0-0000-4000-8000-000000000001", "", 409});
}

}  // namespace

RefusedInputs refused_by_patterns() {
    const std::string list = "/api/v1/patterns";
    const std::string one = "/api/v1/patterns/own";
    RefusedInputs rows{
        {"the id of what ships", Method::post, list, pattern_with("", "mfa-fatigue"), 409},
        {"an id that is taken", Method::post, list, pattern_with(""), 409},
        {"off from a time on",
         Method::post,
         list,
         pattern_with(R"(,"mode":"off","effective_from":"2026-03-01T00:00:00Z")", "new"),
         422,
         {{"/effective_from", "conflict"}}},
        {"an id that is a path's word", Method::post, list, pattern_with("", "export"), 422, {{"/id", "out_of_range"}}},
        {"an id that is another path's word", Method::post, list + ":validate", pattern_with("", "import"), 422, {{"/id", "out_of_range"}}},
        {"another id than the path's", Method::put, one, pattern_with("", "other"), 422, {{"/id", "conflict"}}},
        {"a version of what ships", Method::put, list + "/mfa-fatigue", pattern_with("", "mfa-fatigue"), 409},
        {"a version of none", Method::put, list + "/none", pattern_with("", "none"), 404},
        {"the end of what ships", Method::delete_, list + "/mfa-fatigue", "", 409},
        {"the end of none", Method::delete_, list + "/none", "", 404},
        {"a pattern that there is not", Method::get, list + "/none", "", 404},
        {"versions of none", Method::get, list + "/none/versions", "", 404},
    };
    for (const auto* none : {"0", "2", "-1", "1x", "99999999999"}) {
        rows.push_back({"version " + std::string{none}, Method::get, one + "/versions/" + none, "", 404});
    }
    add_paging(rows, list);
    add_paging(rows, one + "/versions");
    add_bare(rows, Method::get, one);
    add_bare(rows, Method::delete_, one);
    add_bare(rows, Method::get, one + "/versions/1");
    add_documents(rows, Method::post, list);
    add_documents(rows, Method::put, one);
    add_documents(rows, Method::post, "/api/v1/patterns:validate");
    add_deployments(rows);
    add_rules(rows);
    add_backtests(rows);
    return rows;
}

namespace {

void add_settings(RefusedInputs& rows) {
    const auto put = [&](std::string name, std::string body, Pointers faults) {
        rows.push_back({std::move(name), Method::put, "/api/v1/settings", std::move(body), 422, std::move(faults)});
    };
    add_document(rows, Method::put, "/api/v1/settings");
    add_bare(rows, Method::get, "/api/v1/settings");
    put("nothing", "{}", {{"", "missing"}});
    put("unknown ones", R"({"latenes":"1h","threshold":0.5})", {{"/latenes", "unknown_field"}, {"/threshold", "unknown_field"}});
    put("no spans", R"({"lateness":3600,"group_within":"soon"})", {{"/lateness", "wrong_type"}, {"/group_within", "malformed"}});
    put("spans too long", R"({"lateness":"8d","group_within":"31d"})", {{"/lateness", "out_of_range"}, {"/group_within", "out_of_range"}});
    put("a base rate too high", R"({"base_rate":0.9})", {{"/base_rate", "out_of_range"}});
    put("no base rate", R"({"base_rate":"low"})", {{"/base_rate", "wrong_type"}});
    put("no limit", R"({"unlinkable_limit":0})", {{"/unlinkable_limit", "out_of_range"}});
    put("no incidents", R"({"daily_incidents":0,"incident_entities":2001})", {{"/daily_incidents", "out_of_range"}, {"/incident_entities", "out_of_range"}});
    put("no window", R"({"window_signals":999})", {{"/window_signals", "out_of_range"}});
    put("half a limit", R"({"unlinkable_limit":2.5})", {{"/unlinkable_limit", "out_of_range"}});
}

void add_keys(RefusedInputs& rows) {
    const std::string list = "/api/v1/keys";
    const auto post = [&](std::string name, std::string body, Pointers faults, const char* part = "") {
        rows.push_back({std::move(name), Method::post, list + part, std::move(body), 422, std::move(faults)});
    };
    add_paging(rows, list);
    add_document(rows, Method::post, list);
    add_document(rows, Method::post, list + "/k1/rotate");
    add_bare(rows, Method::delete_, list + "/k1");
    post("no scopes", "{}", {{"/scopes", "missing"}});
    post("an empty list of scopes", R"({"scopes":[]})", {{"/scopes", "out_of_range"}});
    post("scopes as one word", R"({"scopes":"admin"})", {{"/scopes", "wrong_type"}});
    post("a scope that is none", R"({"scopes":["signals:write","everything"]})", {{"/scopes/1", "out_of_range"}});
    post("a scope twice", R"({"scopes":["admin","admin"]})", {{"/scopes/1", "conflict"}});
    post("an unknown member", R"({"scopes":["admin"],"name":"n"})", {{"/name", "unknown_field"}});
    post("a tenant", R"({"scopes":["admin"],"tenant":"other"})", {{"/tenant", "unknown_field"}});
    post("sources as one word", R"({"scopes":["admin"],"sources":"x"})", {{"/sources", "wrong_type"}});
    post("sources that are none", R"({"scopes":["admin"],"sources":["a",1,"","b\nc"]})",
         {{"/sources/1", "wrong_type"}, {"/sources/2", "out_of_range"}, {"/sources/3", "malformed"}});
    post("a source twice", R"({"scopes":["admin"],"sources":["a","a"]})", {{"/sources/1", "conflict"}});
    post("a source too long", R"({"scopes":["admin"],"sources":[")" + std::string(129, 's') + R"("]})", {{"/sources/0", "out_of_range"}});
    std::string many = R"({"scopes":["admin"],"sources":["0")";
    for (int i = 1; i <= 100; ++i) many += ",\"" + std::to_string(i) + "\"";
    post("too many sources", many + "]}", {{"/sources", "out_of_range"}});
    post("an end in words", R"({"scopes":["admin"],"expires":"soon"})", {{"/expires", "malformed"}});
    post("an end that is a number", R"({"scopes":["admin"],"expires":1772750831})", {{"/expires", "wrong_type"}});
    post("an end that is past", R"({"scopes":["admin"],"expires":"2020-01-01T00:00:00Z"})", {{"/expires", "out_of_range"}});
    post("an overlap too long", R"({"overlap":"31d"})", {{"/overlap", "out_of_range"}}, "/k1/rotate");
    post("an overlap in words", R"({"overlap":"soon"})", {{"/overlap", "malformed"}}, "/k1/rotate");
    post("an overlap that is negative", R"({"overlap":"-1h"})", {{"/overlap", "malformed"}}, "/k1/rotate");
    post("an overlap in seconds", R"({"overlap":3600})", {{"/overlap", "wrong_type"}}, "/k1/rotate");
    post("other scopes", R"({"scopes":["admin"]})", {{"/scopes", "unknown_field"}}, "/k1/rotate");
    post("an end of the new key that is none", R"({"expires":5})", {{"/expires", "wrong_type"}}, "/k1/rotate");
    post("an end of the new key that is past", R"({"expires":"2020-01-01T00:00:00Z"})", {{"/expires", "out_of_range"}}, "/k1/rotate");
    rows.push_back({"a key that there is not", Method::post, list + "/none/rotate", "{}", 404});
    rows.push_back({"the end of none", Method::delete_, list + "/none", "", 404});
    rows.push_back({"the end of the key that asks", Method::delete_, list + "/k0", "", 409});
}

}  // namespace

RefusedInputs refused_by_administration() {
    RefusedInputs rows{
        {"no time", Method::post, "/api/v1/watermark", "{}", 422, {{"/time", "missing"}}},
        {"faults everywhere",
         Method::post,
         "/api/v1/watermark",
         R"({"time":"now","hold":"yes","until":1})",
         422,
         {{"/until", "unknown_field"}, {"/time", "malformed"}, {"/hold", "wrong_type"}}},
        {"a time in seconds", Method::post, "/api/v1/watermark", R"({"time":1772750831})", 422, {{"/time", "wrong_type"}}},
        {"no name", Method::post, "/api/v1/tenants", "{}", 422, {{"/name", "missing"}}},
        {"an empty name and a size", Method::post, "/api/v1/tenants", R"({"name":"","size":3})", 422, {{"/size", "unknown_field"}, {"/name", "out_of_range"}}},
        {"a name of two lines", Method::post, "/api/v1/tenants", R"({"name":"a\nb"})", 422, {{"/name", "malformed"}}},
        {"a name too long", Method::post, "/api/v1/tenants", R"({"name":")" + std::string(129, 'x') + R"("})", 422, {{"/name", "out_of_range"}}},
        {"a name that is taken", Method::post, "/api/v1/tenants", R"({"name":"acme"})", 409},
        {"an actor without value", Method::get, "/api/v1/audit?actor=", "", 400, {{"/actor", "missing"}}},
        {"a filter of nothing", Method::get, "/api/v1/audit?who=k1", "", 400, {{"/who", "unknown_field"}}},
        {"a time that is none", Method::get, "/api/v1/audit?time_after=now", "", 400, {{"/time_after", "malformed"}}},
        {"a range that ends before it starts",
         Method::get,
         "/api/v1/audit?time_after=2026-03-06T00:00:00Z&time_before=2026-03-05T00:00:00Z",
         "",
         400,
         {{"/time_before", "conflict"}}},
    };
    add_document(rows, Method::post, "/api/v1/watermark");
    add_document(rows, Method::post, "/api/v1/tenants");
    add_paging(rows, "/api/v1/tenants");
    add_paging(rows, "/api/v1/audit");
    add_bare(rows, Method::get, "/api/v1/diagnostics");
    add_settings(rows);
    add_keys(rows);
    return rows;
}

}  // namespace catenary::tests
