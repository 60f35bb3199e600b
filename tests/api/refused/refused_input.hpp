#pragma once

#include "api/http/request.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the routes refuse, one table a resource: read by refused_input_test.cpp, which also holds that no route is left out.

namespace catenary::tests {

using Pointers = std::vector<std::pair<std::string, std::string>>;

/// One input and its refusal.
struct RefusedInput {
    std::string name;
    api::http::Method method;
    std::string target;
    std::string body;  ///< "" where the method takes none
    int status;
    Pointers faults = {};  ///< pointer and code of every fault, in order
    std::string type = "application/json";
};
using RefusedInputs = std::vector<RefusedInput>;

RefusedInputs refused_by_process();
RefusedInputs refused_by_signals();
RefusedInputs refused_by_ingest();
RefusedInputs refused_by_entities();
RefusedInputs refused_by_incidents();
RefusedInputs refused_by_incident_changes();
RefusedInputs refused_by_findings();
RefusedInputs refused_by_chains();
RefusedInputs refused_by_patterns();
RefusedInputs refused_by_administration();
RefusedInputs refused_by_ticketing();

/// All of them.
RefusedInputs every_refused_input();

/// Rows of a list that pages: what `limit` and `cursor` may not be, a parameter given twice, and one that nobody reads.
void add_paging(RefusedInputs& rows, const std::string& path);

/// Rows of a path that takes a JSON document: no JSON, no object, another type, a coding, too large, a parameter.
void add_document(RefusedInputs& rows, api::http::Method method, const std::string& path);

/// The row of a path that takes no parameter.
void add_bare(RefusedInputs& rows, api::http::Method method, const std::string& path, const std::string& body = "");

}  // namespace catenary::tests
