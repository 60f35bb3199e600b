#include "api/handlers/patterns.hpp"

#include "api/catalogue/shipped_patterns.hpp"
#include "api/documents/pattern_document.hpp"
#include "api/handlers/body.hpp"
#include "api/handlers/reply.hpp"
#include "api/http/etag.hpp"
#include "api/http/target.hpp"
#include "api/json/pattern_json.hpp"

#include <algorithm>
#include <utility>

namespace catenary::api::handlers {
namespace {

ports::PatternVersion version_of(const catalogue::ShippedPattern& shipped) {
    return {shipped.pattern->id, shipped.pattern->version, shipped.pattern->mode, shipped.document_json, {}, {}, true};
}

const catalogue::ShippedPattern* find_shipped(std::string_view id) {
    const auto& all = catalogue::shipped_patterns();
    const auto it = std::ranges::find(all, id, [](const auto& shipped) -> const std::string& { return shipped.pattern->id; });
    return it == all.end() ? nullptr : &*it;
}

/// What both posting and validating start from.
struct Posted {
    std::optional<documents::PatternDocument> document;
    std::optional<http::Response> refusal;
};

Posted read_pattern(const http::Request& request) {
    if (auto refusal = refuse_parameters(request)) return {std::nullopt, std::move(refusal)};
    auto body = read_body(request, BodySyntax::json_or_yaml);
    if (body.refusal) return {std::nullopt, std::move(body.refusal)};
    auto document = documents::pattern_from_json(body.value);
    if (!document) return {std::nullopt, invalid_document(request, document.faults)};
    return {std::move(*document), std::nullopt};
}

}  // namespace

http::Response list_patterns(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    auto own = services.patterns.list(caller);
    if (!own) return failure_reply(request, own.error());
    auto& all = *own;
    for (const auto& shipped : catalogue::shipped_patterns()) all.push_back(version_of(shipped));
    std::ranges::sort(all, {}, &ports::PatternVersion::id);

    ports::Page<ports::PatternVersion> page;  // both halves are bounded (512 of the tenant's own), so the page is cut here
    const auto from = std::ranges::upper_bound(all, wanted.after, {}, &ports::PatternVersion::id);  // no id is ""
    const auto to = from + std::min<std::ptrdiff_t>(all.end() - from, static_cast<std::ptrdiff_t>(wanted.limit));
    page.items.assign(from, to);
    if (to != all.end()) page.next = page.items.back().id;
    return page_reply(page, request, caller, services, [](const auto& version) { return json::pattern_head_to_json(version); });
}

http::Response get_pattern(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto& id = request.segments.back();
    if (const auto* shipped = find_shipped(id)) return revised_reply(request, shipped->pattern->version, json::to_json(version_of(*shipped)));
    const auto version = services.patterns.find(caller, id);
    if (!version) return failure_reply(request, version.error());
    return revised_reply(request, version->version, json::to_json(*version));
}

http::Response add_pattern(const http::Request& request, const Caller& caller, ports::Services& services) {
    auto posted = read_pattern(request);
    if (posted.refusal) return *posted.refusal;
    const auto& pattern = posted.document->pattern;
    if (find_shipped(pattern.id) != nullptr) {
        return http::problem(request, http::ProblemKind::conflict, "a pattern of this id ships with the program; choose another id");
    }
    const ports::PatternVersion wanted{pattern.id, 1, pattern.mode, documents::pattern_to_json(*posted.document).dump(), {}, caller.key_id, false};
    const auto stored = services.patterns.add(caller, wanted, posted.document->effective_from);
    if (!stored) return failure_reply(request, stored.error());
    auto response = json_reply(201, json::to_json(*stored));
    response.headers.emplace_back("Location", "/api/v1/patterns/" + http::percent_encoded(stored->id));
    response.headers.emplace_back("ETag", http::etag_of(stored->version));
    return response;
}

http::Response validate_pattern(const http::Request& request, const Caller&, ports::Services&) {
    const auto posted = read_pattern(request);
    if (posted.refusal) return *posted.refusal;
    return json_reply(200, {{"valid", true}, {"document", documents::pattern_to_json(*posted.document)}});
}

}  // namespace catenary::api::handlers
