#include "tests/api/refused/refused_input.hpp"

namespace catenary::tests {

using api::http::Method;

void add_paging(RefusedInputs& rows, const std::string& path) {
    rows.insert(rows.end(), {
                                {"no items wanted", Method::get, path + "?limit=0", "", 400, {{"/limit", "out_of_range"}}},
                                {"a page too large", Method::get, path + "?limit=501", "", 400, {{"/limit", "out_of_range"}}},
                                {"a limit that is no number", Method::get, path + "?limit=ten", "", 400, {{"/limit", "malformed"}}},
                                {"two limits", Method::get, path + "?limit=1&limit=2", "", 400, {{"/limit", "conflict"}}},
                                {"a limit without value", Method::get, path + "?limit=", "", 400, {{"/limit", "missing"}}},
                                {"a cursor that is none", Method::get, path + "?cursor=AAAA", "", 400, {{"/cursor", "malformed"}}},
                                {"a cursor with a NUL", Method::get, path + "?cursor=a%20b", "", 400, {{"/cursor", "malformed"}}},
                                {"an offset", Method::get, path + "?offset=10", "", 400, {{"/offset", "unknown_field"}}},
                                {"several at once", Method::get, path + "?page=2&limit=x", "", 400, {{"/limit", "malformed"}, {"/page", "unknown_field"}}},
                            });
}

void add_document(RefusedInputs& rows, Method method, const std::string& path) {
    rows.insert(rows.end(), {
                                {"no body", method, path, "", 400, {{"", "malformed"}}},
                                {"half a body", method, path, "{\"a\":", 400, {{"/a", "malformed"}}},
                                {"two documents", method, path, "{}{}", 400, {{"", "malformed"}}},
                                {"a list", method, path, "[]", 422, {{"", "wrong_type"}}},
                                {"a form", method, path, "a=b", 415, {}, "application/x-www-form-urlencoded"},
                                {"plain text", method, path, "{}", 415, {}, "text/plain"},
                                {"a body too large", method, path, std::string(262'145, ' '), 413},
                                {"a parameter", method, path + "?force=true", "{}", 400, {{"/force", "unknown_field"}}},
                            });
}

void add_bare(RefusedInputs& rows, Method method, const std::string& path, const std::string& body) {
    rows.push_back({"a parameter", method, path + "?pretty=true", body, 400, {{"/pretty", "unknown_field"}}});
}

RefusedInputs every_refused_input() {
    RefusedInputs all;
    for (const auto table : {refused_by_process, refused_by_signals, refused_by_ingest, refused_by_entities, refused_by_incidents, refused_by_incident_changes,
                             refused_by_findings, refused_by_chains, refused_by_patterns, refused_by_administration, refused_by_ticketing}) {
        for (auto& row : table()) all.push_back(std::move(row));
    }
    return all;
}

}  // namespace catenary::tests
