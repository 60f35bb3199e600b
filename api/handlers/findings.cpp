#include "api/handlers/findings.hpp"

#include "api/handlers/filters.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/finding_json.hpp"

#include <array>
#include <limits>

namespace catenary::api::handlers {
http::Response list_findings(const http::Request& request, const Caller& caller, ports::Services& services) {
    constexpr std::array<std::string_view, 1> kinds{"pattern"};
    constexpr std::array<std::string_view, 3> states{"open", "waiting", "superseded"};
    constexpr std::array<std::string_view, 2> modes{"production", "flighting"};
    http::QueryReader query{request};
    ports::FindingFilter filter;
    static_cast<void>(query.words("kind", kinds));  // all findings are of this kind
    filter.patterns = query.many("pattern");
    filter.entities = entities_in(query);
    if (const auto number = query.integer("incident", 1, std::numeric_limits<std::int64_t>::max())) filter.incident = engine::IncidentNumber{*number};
    if (const auto wanted = query.words("state", states); !wanted.empty()) {
        filter.states.clear();
        for (const auto i : wanted) filter.states.push_back(static_cast<engine::FindingState>(i));
    }
    filter.flighting = query.word("mode", modes).value_or(0) == 1;
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto page = services.findings.page(caller, filter, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [](const auto& finding) { return json::to_json(finding); });
}

http::Response get_finding(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto id = finding_id(request.segments.back());
    if (!id) return not_found(request, "there is no finding of this id");
    const auto finding = services.findings.find(caller, *id);
    if (!finding) return failure_reply(request, finding.error());
    return json_reply(200, json::to_json(*finding));
}

}  // namespace catenary::api::handlers
