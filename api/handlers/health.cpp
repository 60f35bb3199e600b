#include "api/handlers/health.hpp"

#include "api/documents/yaml.hpp"
#include "api/embedded.hpp"
#include "api/handlers/reply.hpp"
#include "engine/model/assert.hpp"

#include <algorithm>
#include <string>

namespace catenary::api::handlers {
namespace {

/// The contract is ours, so larger and deeper than what strangers may post.
std::string contract_as_json() {
    const auto files = embedded_files();
    const auto file = std::ranges::find(files, "openapi.yaml", &EmbeddedFile::path);
    CATENARY_ASSERT(file != files.end(), "openapi.yaml is not embedded");
    engine::Faults faults;
    const auto contract = documents::read_yaml(file->text, {.bytes = 1 << 20, .depth = 32, .values = 100'000, .key_bytes = 256}, faults);
    CATENARY_ASSERT(faults.empty(), "openapi.yaml is not readable");
    return contract.dump();
}

}  // namespace

http::Response healthz(const http::Request& request, const Caller&, ports::Services&) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    return json_reply(200, {{"status", "alive"}});
}

http::Response readyz(const http::Request& request, const Caller&, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    if (const auto missing = services.diagnostics.not_ready()) return http::problem(request, http::ProblemKind::unavailable, *missing);
    return json_reply(200, {{"status", "ready"}});
}

http::Response version(const http::Request& request, const Caller&, ports::Services&) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    return json_reply(200, {{"name", "catenary"}, {"version", CATENARY_VERSION}, {"api", "v1"}});
}

http::Response openapi(const http::Request& request, const Caller&, ports::Services&) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    static const auto contract = contract_as_json();
    http::Response response;
    response.body = contract;
    return response;
}

}  // namespace catenary::api::handlers
