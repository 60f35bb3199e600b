#include "tests/api/refused/refused_input.hpp"

// Connectors and tickets. "soc" is a Redmine, ticket 7 is incident 17's.

namespace catenary::tests {

using api::http::Method;

namespace {

const std::string redmine = R"("redmine":{"project":"soc","tracker":1,"incident_field":1})";
const std::string secret = R"("secrets":{"api_key":"k"})";

void add_puts(RefusedInputs& rows) {
    const std::string path = "/api/v1/connectors/new";
    add_document(rows, Method::put, path);
    const auto put = [&](std::string name, const std::string& body, Pointers faults, const std::string& where = "/api/v1/connectors/new") {
        rows.push_back({std::move(name), Method::put, where, body, 422, std::move(faults)});
    };
    const auto of_redmine = [&](std::string name, const std::string& members, Pointers faults) {
        put(std::move(name), R"({"kind":"redmine","url":"https://t.example",)" + secret + "," + redmine + "," + members + "}", std::move(faults));
    };
    const auto of_webhook = [&](std::string name, const std::string& members, Pointers faults) {
        put(std::move(name),
            R"({"kind":"webhook","url":"https://t.example/hook","secrets":{"signing":"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"},)" + members + "}",
            std::move(faults));
    };
    rows.push_back({"a name with capitals", Method::put, "/api/v1/connectors/SOC", "{}", 400});
    rows.push_back({"a name that begins with a dot", Method::put, "/api/v1/connectors/.soc", "{}", 400});
    rows.push_back({"a name too long", Method::put, "/api/v1/connectors/" + std::string(65, 'a'), "{}", 400});
    put("nothing", "{}", {{"/kind", "missing"}, {"/url", "missing"}});
    put("no such kind", R"({"kind":"otrs","url":"https://t.example"})", {{"/kind", "out_of_range"}});
    put("no secrets", R"({"kind":"redmine","url":"https://t.example",)" + redmine + "}", {{"/secrets", "missing"}});
    put("no target", R"({"kind":"redmine","url":"https://t.example",)" + secret + "}", {{"/redmine", "missing"}});
    put("half a target", R"({"kind":"redmine","url":"https://t.example",)" + secret + R"(,"redmine":{"project":"soc","tracker":0,"field":1}})",
        {{"/redmine/field", "unknown_field"}, {"/redmine/tracker", "out_of_range"}, {"/redmine/incident_field", "missing"}});
    for (const auto* url : {"ftp://t.example", "https://", "https://user:word@t.example", "https://t.example/#x", "//t.example", "https://t.example:0",
                            "https://t.exa mple", "https://t.example/?key=1"}) {
        put(std::string{"the address "} + url, R"({"kind":"redmine","url":")" + std::string{url} + R"(",)" + secret + "," + redmine + "}",
            {{"/url", "malformed"}});
    }
    of_redmine("an unknown member", R"("colour":1)", {{"/colour", "unknown_field"}});
    of_redmine("a condition on a field that there is not", R"("condition":{"confidence":{"gt":0.5}})", {{"/condition/confidence", "unknown_field"}});
    of_redmine("a condition that is no object", R"("condition":["high"])", {{"/condition", "wrong_type"}});
    of_redmine("a change that there is not", R"("when":["created","updated","created"])", {{"/when/1", "out_of_range"}, {"/when/2", "conflict"}});
    of_redmine("never", R"("when":[])", {{"/when", "out_of_range"}});
    of_redmine("a title with a name that there is not", R"("title":"{severty}: {title}")", {{"/title", "unknown_field"}});
    of_redmine("a title with a section", R"("title":"{timeline}")", {{"/title", "unknown_field"}});
    of_redmine("a title of two lines", R"("title":"a\nb")", {{"/title", "malformed"}});
    of_redmine("a body with open brackets", R"("body":"{title")", {{"/body", "malformed"}});
    of_redmine("a body with closed brackets", R"("body":"title}")", {{"/body", "malformed"}});
    of_redmine("priorities of none", R"("priorities":{"critical":1})", {{"/priorities/critical", "unknown_field"}});
    of_redmine("a priority by name", R"("priorities":{"high":"Urgent"})", {{"/priorities/high", "malformed"}});
    of_redmine("a status by name", R"("statuses":{"closed":"Closed"})", {{"/statuses/closed", "malformed"}});
    of_redmine("a resolution that is none", R"("resolutions":{"5":"fixed"})", {{"/resolutions/5", "out_of_range"}});
    of_redmine("a person by name", R"("assignee":"mika")", {{"/assignee", "malformed"}});
    of_redmine("a label too long", R"("labels":[")" + std::string(129, 'x') + R"("])", {{"/labels/0", "out_of_range"}});
    of_redmine("a closing that is none", R"("closing":"always")", {{"/closing", "out_of_range"}});
    of_redmine("comments by a word", R"("comments":"both")", {{"/comments", "wrong_type"}});
    of_redmine("a poll that never ends", R"("poll":"2d")", {{"/poll", "out_of_range"}});
    of_redmine("a poll that is no span", R"("poll":60)", {{"/poll", "wrong_type"}});
    of_redmine("a console that is none", R"("console":"catenary.example")", {{"/console", "malformed"}});
    of_redmine("the target of another kind", R"("request_tracker":{"queue":"SOC","incident_field":"Id"})", {{"/request_tracker", "conflict"}});
    const auto of_tracker = [&](std::string name, const std::string& members, Pointers faults) {
        put(std::move(name), R"({"kind":"request_tracker","url":"https://t.example","secrets":{"token":"t"},)" + members + "}", std::move(faults));
    };
    const std::string queue = R"("request_tracker":{"queue":"SOC","incident_field":"Incident id"})";
    of_tracker("no queue", R"("labels":[])", {{"/request_tracker", "missing"}});
    of_tracker("half a queue", R"("request_tracker":{"queue":"","notes":"reply","colour":1})",
               {{"/request_tracker/colour", "unknown_field"},
                {"/request_tracker/queue", "out_of_range"},
                {"/request_tracker/incident_field", "missing"},
                {"/request_tracker/notes", "out_of_range"}});
    of_tracker("names that would end a quotation", R"("request_tracker":{"queue":"SOC' OR id > 0 OR Queue = '","incident_field":"Id} = 1 OR CF.{x"})",
               {{"/request_tracker/queue", "malformed"}, {"/request_tracker/incident_field", "malformed"}});
    of_tracker("a priority that is no number", queue + R"(,"priorities":{"high":"High"})", {{"/priorities/high", "malformed"}});
    put("a secret of another system", R"({"kind":"request_tracker","url":"https://t.example","secrets":{"api_key":"k"},)" + queue + "}",
        {{"/secrets/api_key", "unknown_field"}, {"/secrets/token", "missing"}});
    const auto of_jira = [&](std::string name, const std::string& members, Pointers faults) {
        put(std::move(name), R"({"kind":"jira","url":"https://t.example","secrets":{"api_token":"t"},)" + members + "}", std::move(faults));
    };
    of_jira("half a project", R"("jira":{"project":"SOC","key":"SOC"})",
            {{"/jira/key", "unknown_field"}, {"/jira/issue_type", "missing"}, {"/jira/account", "missing"}});
    of_jira("a project by name, an account with a password", R"("jira":{"project":"Security \"x\"","issue_type":"Task","account":"a@corp.example:word"})",
            {{"/jira/project", "malformed"}, {"/jira/account", "malformed"}});
    of_jira("labels of two words", R"("jira":{"project":"SOC","issue_type":"Task","account":"a@corp.example"},"labels":["soc","tier one"])",
            {{"/labels/1", "malformed"}});
    const auto of_servicenow = [&](std::string name, const std::string& members, Pointers faults) {
        put(std::move(name), R"({"kind":"servicenow","url":"https://t.example","secrets":{"password":"w"},)" + members + "}", std::move(faults));
    };
    of_servicenow("half a table", R"("servicenow":{"table":"incident?x=1","notes":"mail","close_codes":{"duplicate":"x","undetermined":""}})",
                  {{"/servicenow/table", "malformed"},
                   {"/servicenow/account", "missing"},
                   {"/servicenow/close_code", "missing"},
                   {"/servicenow/notes", "out_of_range"},
                   {"/servicenow/close_codes/duplicate", "unknown_field"},
                   {"/servicenow/close_codes/undetermined", "out_of_range"}});
    of_servicenow("words that are no numbers",
                  R"("servicenow":{"table":"incident","account":"a","close_code":"x"},"priorities":{"high":"1 - Critical"},"statuses":{"closed":"Resolved"})",
                  {{"/priorities/high", "malformed"}, {"/statuses/closed", "malformed"}});
    of_webhook("what only ticket systems have", R"("poll":"60s","comments":true,"statuses":{"closed":5})",
               {{"/statuses", "conflict"}, {"/comments", "conflict"}, {"/poll", "conflict"}});
    put("a secret of another kind", R"({"kind":"webhook","url":"https://t.example","secrets":{"api_key":"k"}})",
        {{"/secrets/api_key", "unknown_field"}, {"/secrets/signing", "missing"}});
    put("a secret of hooks of another form", R"({"kind":"redmine","url":"https://t.example","secrets":{"api_key":"k","hook":["secret",7]},)" + redmine + "}",
        {{"/secrets/hook/0", "malformed"}, {"/secrets/hook/1", "wrong_type"}});
    put("a signing secret of another form", R"({"kind":"webhook","url":"https://t.example","secrets":{"signing":["whsec_c2hvcnQ=","secret"]}})",
        {{"/secrets/signing/0", "malformed"}, {"/secrets/signing/1", "malformed"}});
    put("another kind", R"({"kind":"webhook","url":"https://tickets.example"})", {{"/kind", "conflict"}}, "/api/v1/connectors/soc");
    put("another address without its secrets", R"({"kind":"redmine","url":"https://elsewhere.example",)" + redmine + "}", {{"/secrets", "missing"}},
        "/api/v1/connectors/soc");
}

}  // namespace

RefusedInputs refused_by_ticketing() {
    const std::string list = "/api/v1/connectors";
    RefusedInputs rows{
        {"a connector that there is not", Method::get, list + "/none", "", 404},
        {"the end of none", Method::delete_, list + "/none", "", 404},
        {"a test of none", Method::post, list + "/none/test", "", 404},
        {"a preview by none", Method::post, list + "/none/preview", R"({"incident":17})", 404},
        {"a preview of no incident", Method::post, list + "/soc/preview", R"({"incident":99})", 404},
        {"a preview of what", Method::post, list + "/soc/preview", "{}", 422, {{"/incident", "missing"}}},
        {"a preview of incident 0", Method::post, list + "/soc/preview", R"({"incident":0})", 422, {{"/incident", "out_of_range"}}},
        {"a ticket that there is not", Method::post, "/api/v1/tickets/99/sync", "", 404},
        {"a ticket that is no number", Method::post, "/api/v1/tickets/x/sync", "", 404},
        {"a delivery that there is not", Method::post, "/api/v1/deliveries/99/retry", "", 404},
        {"a delivery that is no number", Method::post, "/api/v1/deliveries/-1/retry", "", 404},
        {"a test with a body", Method::post, list + "/soc/test", "{}", 400},
        {"a ticket with a body", Method::post, "/api/v1/tickets/7/sync", "{}", 400},
        {"a retry with a body", Method::post, "/api/v1/deliveries/7/retry", "{}", 400},
        {"a ticket by whom", Method::post, "/api/v1/incidents/17/tickets", "{}", 422, {{"/connector", "missing"}}},
        {"a ticket by nobody", Method::post, "/api/v1/incidents/17/tickets", R"({"connector":"none"})", 422, {{"/connector", "out_of_range"}}},
        {"a ticket of what is no incident", Method::post, "/api/v1/incidents/x/tickets", R"({"connector":"soc"})", 404},
        {"a hook of nobody", Method::post, "/api/v1/hooks/5c0ffee0-0000-4000-8000-000000000001", R"({"type":"ticket.changed"})", 404},
        {"a hook that is no id", Method::post, "/api/v1/hooks/soc", "", 404},
        {"a state that is none", Method::get, "/api/v1/tickets?state=open", "", 400, {{"/state", "out_of_range"}}},
    };
    add_paging(rows, list);
    add_paging(rows, "/api/v1/tickets");
    add_paging(rows, "/api/v1/deliveries");
    add_bare(rows, Method::get, list + "/soc");
    add_bare(rows, Method::delete_, list + "/soc");
    add_bare(rows, Method::post, list + "/soc/test");
    add_bare(rows, Method::post, "/api/v1/tickets/7/sync");
    add_bare(rows, Method::post, "/api/v1/deliveries/7/retry");
    add_bare(rows, Method::post, "/api/v1/hooks/5c0ffee0-0000-4000-8000-000000000001");
    add_document(rows, Method::post, list + "/soc/preview");
    add_document(rows, Method::post, "/api/v1/incidents/17/tickets");
    add_puts(rows);
    return rows;
}

}  // namespace catenary::tests
