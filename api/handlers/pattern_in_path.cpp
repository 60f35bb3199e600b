#include "api/handlers/pattern_in_path.hpp"

#include "api/catalogue/shipped_patterns.hpp"
#include "api/ports/pattern_modes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace catenary::api::handlers {

const std::string& pattern_id(const http::Request& request) { return request.segments.at(3); }

std::optional<engine::Fault> id_fault(const std::string& id, std::string pointer) {
    constexpr std::array<std::string_view, 2> words{"export", "import"};
    if (std::ranges::find(words, id) == words.end()) return std::nullopt;
    return engine::Fault{engine::FaultCode::out_of_range, std::move(pointer), fmt::format("/api/v1/patterns/{} is no pattern's path; choose another id", id)};
}

ports::PatternVersion shipped_version(const catalogue::ShippedPattern& shipped, const ports::PatternVersion* deployed) {
    ports::PatternVersion version;
    version.id = shipped.pattern->id;
    version.version = shipped.pattern->version;
    ports::give_mode(version, version.version, shipped.pattern->mode);
    version.document_json = shipped.document_json;
    version.shipped = true;
    if (deployed == nullptr) return version;
    ports::give_mode(version, version.version, deployed->mode);
    version.revision = deployed->revision;
    version.changed = deployed->changed;
    version.changed_by = deployed->changed_by;
    return version;
}

ports::Outcome<ports::PatternVersion> find_pattern(const std::string& id, const Caller& caller, ports::Services& services) {
    const auto stored = services.patterns.find(caller, id);
    if (!stored && stored.error().code != ports::FailureCode::not_found) return stored.error();
    if (stored && !stored->shipped) return stored;  // also where one of its id ships by now: the tenant had it first
    if (const auto* shipped = catalogue::find_shipped(id)) return shipped_version(*shipped, stored ? &*stored : nullptr);
    if (stored && stored->shipped) return ports::Failure{ports::FailureCode::not_found, "this pattern ships no more"};
    return stored;
}

ports::Outcome<std::vector<ports::PatternVersion>> every_pattern(const Caller& caller, ports::Services& services) {
    auto stored = services.patterns.list(caller);
    if (!stored) return stored.error();
    std::map<std::string, ports::PatternVersion> by_id;
    for (auto& version : *stored) by_id.emplace(version.id, std::move(version));
    std::vector<ports::PatternVersion> all;
    for (const auto& shipped : catalogue::shipped_patterns()) {
        const auto found = by_id.find(shipped.pattern->id);
        if (found != by_id.end() && !found->second.shipped) continue;  // the tenant's own is listed instead
        all.push_back(shipped_version(shipped, found != by_id.end() ? &found->second : nullptr));
        if (found != by_id.end()) by_id.erase(found);
    }
    for (auto& [id, version] : by_id) {
        if (!version.shipped) all.push_back(std::move(version));  // else it ships no more
    }
    std::ranges::sort(all, {}, &ports::PatternVersion::id);
    return all;
}

}  // namespace catenary::api::handlers
