#include "tests/api/refused/refused_input.hpp"

// What is read: signals, entities, findings, and the process itself.

namespace catenary::tests {

using api::http::Method;

namespace {

/// A range in time that ends before it starts, and ends that are no times.
void add_range(RefusedInputs& rows, const std::string& path, const std::string& name) {
    const auto after = name + "_after";
    const auto before = name + "_before";
    rows.insert(rows.end(), {
                                {"a time in words", Method::get, path + "?" + after + "=yesterday", "", 400, {{"/" + after, "malformed"}}},
                                {"a local time", Method::get, path + "?" + before + "=2026-03-05T22:47:11", "", 400, {{"/" + before, "malformed"}}},
                                {"a date", Method::get, path + "?" + after + "=2026-03-05", "", 400, {{"/" + after, "malformed"}}},
                                {"seconds since 1970", Method::get, path + "?" + after + "=1772750831", "", 400, {{"/" + after, "malformed"}}},
                                {"a range that ends before it starts",
                                 Method::get,
                                 path + "?" + after + "=2026-03-06T00:00:00Z&" + before + "=2026-03-05T00:00:00Z",
                                 "",
                                 400,
                                 {{"/" + before, "conflict"}}},
                            });
}

void add_entity_filter(RefusedInputs& rows, const std::string& path) {
    for (const auto* entity : {"j.morrison", ":x", "account:"}) {
        rows.push_back({"an entity " + std::string{entity}, Method::get, path + "?entity=" + entity, "", 400, {{"/entity", "malformed"}}});
    }
}

}  // namespace

RefusedInputs refused_by_process() {
    RefusedInputs rows;
    for (const auto* path : {"/healthz", "/readyz", "/version", "/metrics", "/openapi.json"}) add_bare(rows, Method::get, path);
    return rows;
}

RefusedInputs refused_by_signals() {
    const std::string list = "/api/v1/signals";
    const std::string one = "/api/v1/signals/entra_id/aad-7f3";
    RefusedInputs rows{
        {"a severity that is none", Method::get, list + "?severity=critical", "", 400, {{"/severity", "out_of_range"}}},
        {"a severity in capitals", Method::get, list + "?severity=High", "", 400, {{"/severity", "out_of_range"}}},
        {"a sort by something else", Method::get, list + "?sort=-severity", "", 400, {{"/sort", "out_of_range"}}},
        {"two sorts", Method::get, list + "?sort=time&sort=-time", "", 400, {{"/sort", "conflict"}}},
        {"a name without value", Method::get, list + "?name=", "", 400, {{"/name", "missing"}}},
        {"a misspelt filter", Method::get, list + "?tehcnique=T1078", "", 400, {{"/tehcnique", "unknown_field"}}},
        {"a filter of incidents", Method::get, list + "?status=new", "", 400, {{"/status", "unknown_field"}}},
        {"a time that is none", Method::get, one + "?time=noon", "", 400, {{"/time", "malformed"}}},
        {"two times", Method::get, one + "?time=2026-03-05T00:00:00Z&time=2026-03-06T00:00:00Z", "", 400, {{"/time", "conflict"}}},
        {"a signal that there is not", Method::get, "/api/v1/signals/entra_id/none", "", 404},
        {"a signal of another source", Method::get, "/api/v1/signals/exchange/aad-7f3", "", 404},
    };
    add_bare(rows, Method::get, one);
    add_paging(rows, list);
    add_range(rows, list, "time");
    add_entity_filter(rows, list);
    return rows;
}

RefusedInputs refused_by_entities() {
    const std::string list = "/api/v1/entities";
    const std::string one = "/api/v1/entities/account/j.morrison@ne.example";
    const std::string nobody = "/api/v1/entities/account/nobody@ne.example";
    RefusedInputs rows{
        {"two prefixes", Method::get, list + "?prefix=a&prefix=b", "", 400, {{"/prefix", "conflict"}}},
        {"a prefix without value", Method::get, list + "?prefix=", "", 400, {{"/prefix", "missing"}}},
        {"a kind without value", Method::get, list + "?kind=", "", 400, {{"/kind", "missing"}}},
        {"a value as a filter", Method::get, list + "?value=a", "", 400, {{"/value", "unknown_field"}}},
        {"a sort of a timeline", Method::get, one + "/timeline?sort=name", "", 400, {{"/sort", "out_of_range"}}},
        {"a kind without value beside an entity", Method::get, one + "/neighbours?kind=", "", 400, {{"/kind", "missing"}}},
        {"neighbours by page", Method::get, one + "/neighbours?cursor=AAAA", "", 400, {{"/cursor", "unknown_field"}}},
        {"no neighbours wanted", Method::get, one + "/neighbours?limit=0", "", 400, {{"/limit", "out_of_range"}}},
        {"no hops", Method::get, one + "/graph?hops=0", "", 400, {{"/hops", "out_of_range"}}},
        {"hops too many", Method::get, one + "/graph?hops=4", "", 400, {{"/hops", "out_of_range"}}},
        {"half a hop", Method::get, one + "/graph?hops=1.5", "", 400, {{"/hops", "malformed"}}},
        {"a limit of a graph", Method::get, one + "/graph?limit=5", "", 400, {{"/limit", "unknown_field"}}},
        {"a criticality that is none", Method::get, list + "?criticality=enormous", "", 400, {{"/criticality", "out_of_range"}}},
        {"an unknown member", Method::put, one, R"({"colour":"red"})", 422, {{"/colour", "unknown_field"}}},
        {"a tag twice", Method::put, one, R"({"tags":["vip","vip"]})", 422, {{"/tags/1", "conflict"}}},
        {"a tag without text", Method::put, one, R"({"tags":[""]})", 422, {{"/tags/0", "out_of_range"}}},
        {"a criticality by number", Method::put, one, R"({"criticality":4})", 422, {{"/criticality", "wrong_type"}}},
        {"facts as a list", Method::put, one, R"({"facts":[]})", 422, {{"/facts", "wrong_type"}}},
        {"facts too large", Method::put, one, R"({"facts":{"a":")" + std::string(5'000, 'x') + "\"}}", 422, {{"/facts", "too_large"}}},
        {"a link that is none", Method::put, one, R"({"link":"maybe"})", 422, {{"/link", "out_of_range"}}},
        {"a kind that no signal can name", Method::put, "/api/v1/entities/Account/a", "{}", 400, {{"/kind", "malformed"}}},
    };
    add_document(rows, Method::put, one);
    for (const auto* part : {"", "/timeline", "/neighbours", "/graph"}) {
        add_bare(rows, Method::get, one + part);
        rows.push_back({"nobody", Method::get, nobody + part, "", 404});
    }
    add_paging(rows, list);
    add_paging(rows, one + "/timeline");
    for (const auto* part : {"/timeline", "/neighbours", "/graph"}) add_range(rows, one + part, "time");
    return rows;
}

RefusedInputs refused_by_findings() {
    const std::string list = "/api/v1/findings";
    RefusedInputs rows{
        {"a kind that is not found yet", Method::get, list + "?kind=emergent", "", 400, {{"/kind", "out_of_range"}}},
        {"a state that is none", Method::get, list + "?state=closed", "", 400, {{"/state", "out_of_range"}}},
        {"a mode that finds nothing", Method::get, list + "?mode=off", "", 400, {{"/mode", "out_of_range"}}},
        {"two modes", Method::get, list + "?mode=production&mode=flighting", "", 400, {{"/mode", "conflict"}}},
        {"an incident by name", Method::get, list + "?incident=x", "", 400, {{"/incident", "malformed"}}},
        {"incident 0", Method::get, list + "?incident=0", "", 400, {{"/incident", "out_of_range"}}},
        {"an incident beyond all numbers", Method::get, list + "?incident=9223372036854775808", "", 400, {{"/incident", "malformed"}}},
        {"two incidents", Method::get, list + "?incident=1&incident=2", "", 400, {{"/incident", "conflict"}}},
        {"a pattern without value", Method::get, list + "?pattern=", "", 400, {{"/pattern", "missing"}}},
        {"a finding that there is not", Method::get, list + "/3b241101-e2bb-5255-8caf-4136c566a999", "", 404},
        {"an id that is none", Method::get, list + "/17", "", 404},
        {"an id in braces", Method::get, list + "/%7B3b241101-e2bb-5255-8caf-4136c566a962%7D", "", 404},
    };
    add_bare(rows, Method::get, list + "/3b241101-e2bb-5255-8caf-4136c566a962");
    add_paging(rows, list);
    add_entity_filter(rows, list);
    return rows;
}

RefusedInputs refused_by_chains() {
    const std::string partials = "/api/v1/partials";
    const std::string misses = "/api/v1/near-misses";
    const std::string health = "/api/v1/patterns/own/health";
    const std::string why_not = "/api/v1/patterns/own/why-not";
    const std::string span = R"("from":"2026-03-05T00:00:00Z","to":"2026-03-06T00:00:00Z")";
    RefusedInputs rows{
        {"chains of two entities", Method::get, partials + "?entity=account:a&entity=account:b", "", 400, {{"/entity", "conflict"}}},
        {"further chains", Method::get, partials + "?cursor=AAAA", "", 400, {{"/cursor", "unknown_field"}}},
        {"no chains wanted", Method::get, partials + "?limit=0", "", 400, {{"/limit", "out_of_range"}}},
        {"chains by mode", Method::get, partials + "?mode=production", "", 400, {{"/mode", "unknown_field"}}},
        {"a pattern without value", Method::get, misses + "?pattern=", "", 400, {{"/pattern", "missing"}}},
        {"a stage without value", Method::get, misses + "?missing=", "", 400, {{"/missing", "missing"}}},
        {"a mode that misses nothing", Method::get, misses + "?mode=off", "", 400, {{"/mode", "out_of_range"}}},
        {"the health of none", Method::get, "/api/v1/patterns/none/health", "", 404},
        {"nothing asked", Method::post, why_not, "{}", 422, {{"/entity", "missing"}, {"/from", "missing"}, {"/to", "missing"}}},
        {"another member", Method::post, why_not, R"({"entity":"account:a",)" + span + R"(,"stage":"a"})", 422, {{"/stage", "unknown_field"}}},
        {"an entity without kind", Method::post, why_not, R"({"entity":"a",)" + span + "}", 422, {{"/entity", "malformed"}}},
        {"an entity that is a number", Method::post, why_not, R"({"entity":1,)" + span + "}", 422, {{"/entity", "wrong_type"}}},
        {"an entity without value", Method::post, why_not, R"({"entity":{"kind":"account"},)" + span + "}", 422, {{"/entity/value", "missing"}}},
        {"an entity with a role",
         Method::post,
         why_not,
         R"({"entity":{"kind":"account","value":"a","role":"actor"},)" + span + "}",
         422,
         {{"/entity/role", "unknown_field"}}},
        {"a time in words", Method::post, why_not, R"({"entity":"account:a","from":"monday","to":"2026-03-06T00:00:00Z"})", 422, {{"/from", "malformed"}}},
        {"a time that is a number", Method::post, why_not, R"({"entity":"account:a","from":"2026-03-05T00:00:00Z","to":5})", 422, {{"/to", "wrong_type"}}},
        {"a span that ends before it starts",
         Method::post,
         why_not,
         R"({"entity":"account:a","from":"2026-03-06T00:00:00Z","to":"2026-03-05T00:00:00Z"})",
         422,
         {{"/to", "conflict"}}},
        {"a span too long",
         Method::post,
         why_not,
         R"({"entity":"account:a","from":"2026-03-01T00:00:00Z","to":"2026-04-01T00:00:01Z"})",
         422,
         {{"/to", "out_of_range"}}},
        {"why not of none", Method::post, "/api/v1/patterns/none/why-not", R"({"entity":"account:a",)" + span + "}", 404},
    };
    add_bare(rows, Method::get, health);
    add_document(rows, Method::post, why_not);
    add_paging(rows, misses);
    add_range(rows, misses, "time");
    for (const auto& path : {partials, misses}) add_entity_filter(rows, path);
    return rows;
}

}  // namespace catenary::tests
