#include "api/handlers/body.hpp"

#include "api/handlers/reply.hpp"

#include <algorithm>

namespace catenary::api::handlers {

using http::ProblemKind;

Body read_body(const http::Request& request, BodySyntax accepted) {
    const auto refuse = [&request](ProblemKind kind, std::string_view detail, const engine::Faults& faults = {}) {
        return Body{nullptr, http::problem(request, kind, detail, faults)};
    };
    if (!request.content_encoding.empty() && request.content_encoding != "identity") {
        return refuse(ProblemKind::unsupported_media_type, "this resource takes no content encoding");
    }
    const auto syntax = documents::syntax_of(request.content_type);
    const bool yaml = syntax == documents::Syntax::yaml;
    if (!syntax || (yaml && accepted == BodySyntax::json_only)) {
        return refuse(ProblemKind::unsupported_media_type,
                      accepted == BodySyntax::json_only ? "accepted: application/json" : "accepted: application/json, application/yaml");
    }
    const documents::DocumentLimits limits;
    if (request.body.size() > limits.bytes) return refuse(ProblemKind::too_large, "a document has at most 256 KiB");
    auto document = documents::read_document(request.body, *syntax, limits);
    if (document) return {std::move(*document), std::nullopt};
    const bool unreadable = std::ranges::any_of(document.faults, [](const auto& fault) { return fault.code == engine::FaultCode::malformed; });
    if (unreadable) return refuse(ProblemKind::malformed_request, "the body cannot be read", document.faults);
    return Body{nullptr, invalid_document(request, document.faults)};
}

}  // namespace catenary::api::handlers
