#include "api/handlers/tenants.hpp"

#include "api/documents/members.hpp"
#include "api/handlers/body.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/time_json.hpp"

#include <array>

namespace catenary::api::handlers {

using documents::Place;

namespace {

constexpr std::array<std::string_view, 1> members{"name"};
constexpr std::size_t most_name_bytes = 128;

std::optional<http::Response> refuse_others(const http::Request& request, const Caller& caller) {
    if (caller.operator_tenant) return std::nullopt;
    return http::problem(request, http::ProblemKind::forbidden, "tenants are managed with a key of the operator's own tenant");
}

}  // namespace

http::Response list_tenants(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_others(request, caller)) return *refusal;
    http::QueryReader query{request};
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto page = services.tenants.page(caller, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [](const ports::TenantRow& row) -> nlohmann::ordered_json {
        return {{"name", row.name}, {"created", json::format_time(row.created)}};
    });
}

http::Response add_tenant(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_others(request, caller)) return *refusal;
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto body = read_body(request, BodySyntax::json_only);
    if (body.refusal) return *body.refusal;
    engine::Faults faults;
    const Place place{faults};
    std::string name;
    if (documents::read_object(place, body.value, members) != nullptr) {
        const auto* given = documents::required(place, body.value, "name");
        if (given != nullptr) name = documents::read_line(place.member("name"), *given, most_name_bytes).value_or("");
    }
    if (!faults.empty()) return invalid_document(request, faults);
    const auto made = services.tenants.add(caller, name);
    if (!made) return failure_reply(request, made.error());
    return json_reply(201, {{"name", made->name}, {"key", made->key}});
}

}  // namespace catenary::api::handlers
