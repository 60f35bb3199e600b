#include "api/handlers/patterns.hpp"

#include "api/documents/yaml_text.hpp"
#include "api/handlers/pattern_in_path.hpp"
#include "api/handlers/reply.hpp"
#include "api/http/accept.hpp"
#include "api/http/etag.hpp"
#include "api/json/pattern_json.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace catenary::api::handlers {
namespace {

using ports::FailureCode;
using ports::PatternVersion;

/// `body` as JSON or the document alone as YAML, with the entity tag of `revision`, which both share: what changes one changes the other.
http::Response document_reply(const http::Request& request, std::int64_t revision, const PatternVersion& version, const nlohmann::ordered_json& body) {
    auto response = revised_reply(request, revision, body);
    response.headers.emplace_back("Vary", "Accept");
    if (response.status != 200 || !http::prefers_yaml(request.accept)) return response;
    response.content_type = "application/yaml";
    response.body = documents::to_yaml(nlohmann::ordered_json::parse(version.document_json));
    return response;
}

/// The number in /versions/{version}; 0 for anything else, which no version has.
std::int32_t version_in_path(const http::Request& request) {
    const auto& text = request.segments.at(5);
    std::int32_t version = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), version);
    return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() ? version : 0;
}

/// What ships under the id in the path; null: nothing does, or the tenant has one of its own.
ports::Outcome<const catalogue::ShippedPattern*> shipped_in_path(const http::Request& request, const Caller& caller, ports::Services& services) {
    const auto* shipped = catalogue::find_shipped(pattern_id(request));
    if (shipped == nullptr) return shipped;
    const auto now = find_pattern(pattern_id(request), caller, services);
    if (!now) return now.error();
    return now->shipped ? shipped : nullptr;
}

}  // namespace

http::Response list_patterns(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto listed = every_pattern(caller, services);
    if (!listed) return failure_reply(request, listed.error());
    const auto& all = *listed;

    ports::Page<PatternVersion> page;  // both halves are bounded (--catalogue-documents of the tenant's own), so the page is cut here
    const auto from = std::ranges::upper_bound(all, wanted.after, {}, &PatternVersion::id);  // no id is ""
    const auto to = from + std::min<std::ptrdiff_t>(all.end() - from, static_cast<std::ptrdiff_t>(wanted.limit));
    page.items.assign(from, to);
    if (to != all.end()) page.next = page.items.back().id;
    return page_reply(page, request, caller, services, [](const auto& version) { return json::pattern_head_to_json(version); });
}

http::Response get_pattern(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto version = find_pattern(pattern_id(request), caller, services);
    if (!version) return failure_reply(request, version.error());
    return document_reply(request, version->revision, *version, json::to_json(*version));
}

http::Response list_pattern_versions(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto shipped = shipped_in_path(request, caller, services);
    if (!shipped) return failure_reply(request, shipped.error());
    ports::Page<PatternVersion> page;
    if (*shipped != nullptr) {
        if (wanted.after.empty()) page.items.push_back(shipped_version(**shipped, nullptr));
    } else {
        auto stored = services.patterns.versions(caller, pattern_id(request), wanted);
        if (!stored) return failure_reply(request, stored.error());
        page = *std::move(stored);
    }
    return page_reply(page, request, caller, services, [](const auto& version) { return json::pattern_version_to_json(version, json::WithDocument::no); });
}

http::Response get_pattern_version(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto number = version_in_path(request);
    const auto found = shipped_in_path(request, caller, services);
    if (!found) return failure_reply(request, found.error());
    const auto* shipped = *found;
    if (shipped != nullptr && shipped->pattern->version != number) return not_found(request, "there is no such version of this pattern");
    const auto version = shipped != nullptr ? ports::Outcome<PatternVersion>{shipped_version(*shipped, nullptr)}
                                            : services.patterns.version(caller, pattern_id(request), number);
    if (!version) return failure_reply(request, version.error());
    return document_reply(request, version->version, *version, json::pattern_version_to_json(*version, json::WithDocument::yes));
}

}  // namespace catenary::api::handlers
