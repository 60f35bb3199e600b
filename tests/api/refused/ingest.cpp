#include "tests/api/refused/refused_input.hpp"

// What is posted as signals: whole requests here, single members in tests/api/ingest and tests/api/adapters, codings and keys in the session's tests.

namespace catenary::tests {

using api::http::Method;

namespace {

const std::string good = R"({"id":"s-1","source":"entra_id","time":"2026-03-05T22:47:11Z","domain":"identity","name":"sign_in","confidence":0.3})";
constexpr const char* lines_type = "application/x-ndjson";

}  // namespace

RefusedInputs refused_by_signals_posted() {
    const std::string path = "/api/v1/signals";
    const auto post = [&](std::string name, std::string body, int status, Pointers faults = {}, std::string type = "application/json") {
        return RefusedInput{std::move(name), Method::post, path, std::move(body), status, std::move(faults), std::move(type)};
    };
    std::string too_many = "[";
    for (int i = 0; i < 1001; ++i) too_many += good + (i < 1000 ? "," : "]");
    return {
        post("no body", "", 400),
        post("half an object", good.substr(0, 40), 400),
        post("an object and something", good + " 1", 400),
        post("half a list", "[" + good, 400),
        post("a list and something", "[" + good + "]]", 400),
        post("a number", "7", 400),
        post("a form", "id=1", 415, {}, "application/x-www-form-urlencoded"),
        post("YAML", "id: 1", 415, {}, "application/yaml"),
        post("a signal too many", too_many, 413),
        post("an object without anything", "{}", 422, {{"/source", "missing"}, {"/time", "missing"}, {"/domain", "missing"}, {"/name", "missing"}}),
        post("a member that nobody reads", good.substr(0, good.size() - 1) + R"(,"colour":"red"})", 422, {{"/colour", "unknown_field"}}),
        post("a tenant", good.substr(0, good.size() - 1) + R"(,"tenant":"other"})", 422, {{"/tenant", "unknown_field"}}),
        post("a confidence beyond 1", R"({"source":"s","time":"2026-03-05T22:47:11Z","domain":"d","name":"n","confidence":1.35})", 422,
             {{"/confidence", "out_of_range"}}),
        {"results of a kind", Method::post, path + "?results=some", good, 400, {{"/results", "out_of_range"}}},
        {"results twice", Method::post, path + "?results=all&results=none", good, 400, {{"/results", "out_of_range"}}},
        {"a dry run", Method::post, path + "?dry_run=true", good, 400, {{"/dry_run", "unknown_field"}}},
    };
}

/// Of batches of which everything is refused the reply has counts: the faults stand with the items.
RefusedInputs refused_by_batches() {
    return {
        {"a list of what are no signals", Method::post, "/api/v1/signals", "[1,null,\"x\",[]]", 422},
        {"lines of what are no signals", Method::post, "/api/v1/signals", "{\n[]\n7\n", 422, {}, lines_type},
        {"one bad line", Method::post, "/api/v1/signals", "{}\n", 422, {}, lines_type},
    };
}

RefusedInputs refused_by_ingest() {
    auto rows = refused_by_signals_posted();
    for (auto& row : refused_by_batches()) rows.push_back(std::move(row));
    for (const auto* format : {"ocsf", "cloudevents", "ecs"}) {
        const auto path = std::string{"/api/v1/ingest/"} + format;
        rows.insert(rows.end(), {
                                    {"half a list", Method::post, path, "[{}", 400},
                                    {"a form", Method::post, path, "id=1", 415, {}, "application/x-www-form-urlencoded"},
                                    {"a record that is none", Method::post, path, "7", 422, {{"", "wrong_type"}}},
                                    {"half a record", Method::post, path, "{\"a\":", 422, {{"/a", "malformed"}}},
                                    {"a run that is half dry", Method::post, path + "?dry_run=yes", "{}", 400, {{"/dry_run", "out_of_range"}}},
                                    {"two runs", Method::post, path + "?dry_run=true&dry_run=false", "{}", 400, {{"/dry_run", "conflict"}}},
                                    {"results of a kind", Method::post, path + "?results=some", "{}", 400, {{"/results", "out_of_range"}}},
                                    {"a source without value", Method::post, path + "?source=", "{}", 400, {{"/source", "missing"}}},
                                    {"two sources", Method::post, path + "?source=a&source=b", "{}", 400, {{"/source", "conflict"}}},
                                    {"a source that is reserved", Method::post, path + "?source=catenary", "{}", 400, {{"/source", "out_of_range"}}},
                                    {"a source too long", Method::post, path + "?source=" + std::string(129, 's'), "{}", 400, {{"/source", "out_of_range"}}},
                                    {"a source of two lines", Method::post, path + "?source=a%0Ab", "{}", 400, {{"/source", "malformed"}}},
                                });
        add_bare(rows, Method::post, path, "{}");
    }
    rows.insert(rows.end(), {
                                {"no class", Method::post, "/api/v1/ingest/ocsf", "{}", 422, {{"/class_uid", "missing"}}},
                                {"an event of another type", Method::post, "/api/v1/ingest/ocsf", "{}", 415, {}, "application/cloudevents+json"},
                            });
    return rows;
}

}  // namespace catenary::tests
