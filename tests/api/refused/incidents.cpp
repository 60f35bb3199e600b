#include "tests/api/refused/refused_input.hpp"

// What is asked of incidents, and what is done to them. 17 and 18 are open, 19 is closed, 20 is part of 17, 99 there is not.

namespace catenary::tests {

using api::http::Method;

RefusedInputs refused_by_incidents() {
    const std::string list = "/api/v1/incidents";
    const std::string one = "/api/v1/incidents/17";
    RefusedInputs rows{
        {"a status that is none", Method::get, list + "?status=open", "", 400, {{"/status", "out_of_range"}}},
        {"a severity that is none", Method::get, list + "?severity=critical", "", 400, {{"/severity", "out_of_range"}}},
        {"a classification that is none", Method::get, list + "?classification=benign", "", 400, {{"/classification", "out_of_range"}}},
        {"a score above 1", Method::get, list + "?score_min=1.5", "", 400, {{"/score_min", "out_of_range"}}},
        {"a score that is none", Method::get, list + "?score_min=nan", "", 400, {{"/score_min", "malformed"}}},
        {"a score in hexadecimal", Method::get, list + "?score_min=0x1", "", 400, {{"/score_min", "malformed"}}},
        {"a sort by title", Method::get, list + "?sort=title", "", 400, {{"/sort", "out_of_range"}}},
        {"a sort by one key twice", Method::get, list + "?sort=score,-score", "", 400, {{"/sort", "conflict"}}},
        {"a sort by four keys", Method::get, list + "?sort=score,created,updated,number", "", 400, {{"/sort", "out_of_range"}}},
        {"a sort with a hole", Method::get, list + "?sort=score,,created", "", 400, {{"/sort", "out_of_range"}}},
        {"two sorts", Method::get, list + "?sort=score&sort=created", "", 400, {{"/sort", "conflict"}}},
        {"more of something", Method::get, list + "?include=everything", "", 400, {{"/include", "out_of_range"}}},
        {"two searches", Method::get, list + "?q=a&q=b", "", 400, {{"/q", "conflict"}}},
        {"an owner without value", Method::get, list + "?owner=", "", 400, {{"/owner", "missing"}}},
        {"an entity without kind", Method::get, list + "?entity=alice", "", 400, {{"/entity", "malformed"}}},
        {"a line of history that is none", Method::get, one + "/activity?what=said", "", 400, {{"/what", "out_of_range"}}},
        {"a graph too large", Method::get, one + "/graph?limit=501", "", 400, {{"/limit", "out_of_range"}}},
        {"a graph by page", Method::get, one + "/graph?cursor=AAAA", "", 400, {{"/cursor", "unknown_field"}}},
        {"too many like it", Method::get, one + "/similar?limit=51", "", 400, {{"/limit", "out_of_range"}}},
    };
    for (const auto* range : {"first_activity", "last_activity", "created", "updated"}) {
        const std::string name{range};
        rows.push_back({"a time in words", Method::get, list + "?" + name + "_after=yesterday", "", 400, {{"/" + name + "_after", "malformed"}}});
        rows.push_back({"a range that ends before it starts",
                        Method::get,
                        list + "?" + name + "_after=2026-03-06T00:00:00Z&" + name + "_before=2026-03-05T00:00:00Z",
                        "",
                        400,
                        {{"/" + name + "_before", "conflict"}}});
    }
    add_paging(rows, list);
    for (const auto* part : {"/timeline", "/evidence", "/activity"}) add_paging(rows, one + part);
    for (const auto* part : {"", "/timeline", "/evidence", "/explanation", "/activity", "/graph", "/similar"}) {
        add_bare(rows, Method::get, one + part);
        for (const auto* none : {"99", "x", "0", "-1", "1.0", "99999999999999999999"}) {
            rows.push_back({"an incident " + std::string{none}, Method::get, list + "/" + none + part, "", 404});
        }
    }
    return rows;
}

namespace {

std::string long_text(std::size_t bytes) { return "\"" + std::string(bytes, 'x') + "\""; }

void add_edits(RefusedInputs& rows) {
    const auto edit = [&](std::string name, std::string body, Pointers faults, const char* path = "/api/v1/incidents/17", int status = 422) {
        rows.push_back({std::move(name), Method::patch, path, std::move(body), status, std::move(faults)});
    };
    add_document(rows, Method::patch, "/api/v1/incidents/17");
    edit("nothing to change", "{}", {{"", "missing"}});
    edit("an unknown member", R"({"assignee":"mika"})", {{"/assignee", "unknown_field"}});
    edit("what is computed", R"({"score":0.1,"number":3})", {{"/number", "unknown_field"}, {"/score", "unknown_field"}});
    edit("closing without a classification", R"({"status":"closed"})", {{"/classification", "missing"}});
    edit("a classification while it is open", R"({"classification":"false_positive"})", {{"/classification", "conflict"}});
    edit("a reason of no classification", R"({"reason":"because"})", {{"/reason", "conflict"}});
    edit("two reasons", R"({"status":"closed","classification":"undetermined","reason":"a","classification_reason":"b"})", {{"/reason", "conflict"}});
    edit("words that are none", R"({"status":"done","severity":"critical"})", {{"/status", "out_of_range"}, {"/severity", "out_of_range"}});
    edit("types", R"({"status":1,"title":null,"owner":5})", {{"/status", "wrong_type"}, {"/title", "wrong_type"}, {"/owner", "wrong_type"}});
    edit("an empty title", R"({"title":""})", {{"/title", "out_of_range"}});
    edit("an owner of two lines", R"({"owner":"a\nb"})", {{"/owner", "malformed"}});
    edit("labels that are no list", R"({"labels":"vip"})", {{"/labels", "wrong_type"}});
    edit("a label twice", R"({"labels":["vip","vip",3]})", {{"/labels/1", "conflict"}, {"/labels/2", "wrong_type"}});
    edit("a member twice", R"({"owner":"a","owner":"b"})", {{"/owner", "conflict"}});
    edit("of a merged incident", R"({"owner":"a"})", {}, "/api/v1/incidents/20", 409);
    edit("of none", R"({"owner":"a"})", {}, "/api/v1/incidents/99", 404);
}

}  // namespace

RefusedInputs refused_by_incident_changes() {
    RefusedInputs rows;
    add_edits(rows);
    const std::string first = "3b241101-e2bb-5255-8caf-4136c566a962";
    const std::string second = "3b241101-e2bb-5255-8caf-4136c566a963";
    const auto post = [&](const char* part, std::string name, std::string body, Pointers faults, int status = 422, const char* number = "17") {
        rows.push_back({std::move(name), Method::post, std::string{"/api/v1/incidents/"} + number + part, std::move(body), status, std::move(faults)});
    };
    for (const auto* part : {"/merge", "/split", "/comments"}) {
        add_document(rows, Method::post, std::string{"/api/v1/incidents/17"} + part);
        post(part, "of none", "{}", {}, 404, "99");
        post(part, "of a merged incident", R"({"into":18})", {}, 409, "20");
    }
    post("/merge", "neither into nor numbers", R"({"reason":"x"})", {{"", "missing"}});
    post("/merge", "both", R"({"into":18,"numbers":[18]})", {{"", "conflict"}});
    post("/merge", "an unknown member", R"({"into":18,"because":"x"})", {{"/because", "unknown_field"}});
    post("/merge", "itself", R"({"into":17})", {{"/into", "conflict"}});
    post("/merge", "an unknown number", R"({"into":99})", {{"/into", "out_of_range"}});
    post("/merge", "a number as text", R"({"into":"18"})", {{"/into", "wrong_type"}});
    post("/merge", "a number beyond all numbers", R"({"into":9223372036854775808})", {{"/into", "out_of_range"}});
    post("/merge", "a number far beyond", R"({"into":18446744073709551615})", {{"/into", "out_of_range"}});
    post("/merge", "a closed one", R"({"into":19})", {{"/into", "conflict"}});
    post("/merge", "a merged one among others", R"({"numbers":[18,20,"x",0]})",
         {{"/numbers/1", "conflict"}, {"/numbers/2", "wrong_type"}, {"/numbers/3", "out_of_range"}});
    post("/merge", "no numbers", R"({"numbers":[]})", {{"/numbers", "out_of_range"}});
    post("/merge", "a reason too long", R"({"into":18,"reason":)" + long_text(4097) + "}", {{"/reason", "out_of_range"}});
    post("/split", "no findings named", "{}", {{"/findings", "missing"}});
    post("/split", "an empty list", R"({"findings":[]})", {{"/findings", "out_of_range"}});
    post("/split", "all findings", R"({"findings":[")" + first + R"(",")" + second + R"("]})", {{"/findings", "conflict"}});
    post("/split", "another's finding", R"({"findings":["3b241101-e2bb-5255-8caf-4136c566a999",7]})",
         {{"/findings/0", "out_of_range"}, {"/findings/1", "wrong_type"}});
    post("/split", "an unknown member", R"({"findings":[")" + first + R"("],"finding":1})", {{"/finding", "unknown_field"}});
    post("/comments", "no text", "{}", {{"/text", "missing"}});
    post("/comments", "blanks", R"({"text":" \n\t"})", {{"/text", "missing"}});
    post("/comments", "no string", R"({"text":null})", {{"/text", "wrong_type"}});
    post("/comments", "too long", R"({"text":)" + long_text(8193) + "}", {{"/text", "out_of_range"}});
    post("/comments", "an actor", R"({"text":"x","actor":"somebody"})", {{"/actor", "unknown_field"}});
    post("/comments", "a NUL", R"({"text":"a\u0000b"})", {{"/text", "malformed"}}, 400);
    return rows;
}

}  // namespace catenary::tests
