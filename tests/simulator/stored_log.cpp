#include "tests/simulator/stored_log.hpp"

#include "api/ingest/attributes.hpp"
#include "api/json/control_json.hpp"
#include "engine/lane/deployment.hpp"
#include "server/lanes/stored_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>

namespace catenary::simulator {

std::map<engine::TenantId, std::vector<test::LogEntry>> stored_log(Database& database, const engine::Catalogue& shipped) {
    std::map<engine::TenantId, std::vector<test::LogEntry>> log;
    std::set<std::string> paths;
    for (const auto& pattern : shipped) paths.merge(engine::attribute_paths(*pattern));
    for (const auto& [position, entry] : database.controls) {
        auto body = api::json::control_from_text(entry.kind, entry.body);
        if (!body) throw std::runtime_error(fmt::format("the entry at position {} cannot be read: {}", position.value(), body.error().detail));
        if (const auto* change = std::get_if<engine::PatternChange>(&*body)) paths.merge(engine::attribute_paths(*change->pattern));
        log[entry.tenant].push_back({position, entry.tenant, entry.admitted, std::move(*body)});
    }
    server::StoredNames names{database, 1U << 20U};
    for (const auto& [position, stored] : database.signals) {
        std::vector<server::StoredRow> rows{stored.view()};
        names.load(rows);
        auto signal = server::signal_of(rows.front(), names);
        signal.attributes = api::ingest::attribute_leaves(stored.attributes, paths);
        log[stored.tenant].push_back({position, stored.tenant, stored.received, std::move(signal)});
    }
    for (auto& [tenant, entries] : log) std::ranges::sort(entries, {}, &test::LogEntry::position);
    return log;
}

}  // namespace catenary::simulator
