#include "server/lanes/wanted_definitions.hpp"

#include "engine/lane/definitions.hpp"
#include "engine/lane/stage_index.hpp"
#include "engine/lane/string_pool.hpp"
#include "server/ingest/pq_values.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace catenary::server {
namespace {

constexpr const char* page_sql = "SELECT id, domain, source, name, tactics, techniques FROM def WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT 5000";
constexpr int page_size = 5'000;
// The one part of what decides static predicates that is no part of a stored definition.
constexpr std::array severities{engine::Severity::informational, engine::Severity::low, engine::Severity::medium, engine::Severity::high};

class Index {
public:
    explicit Index(const engine::Pattern& pattern) : stages_{{std::make_shared<const engine::Pattern>(pattern)}, 1} {}
    bool may_want(engine::SignalView signal) {
        if (!stages_.may_want(signal.name)) return false;
        return std::any_of(severities.begin(), severities.end(), [&](engine::Severity severity) {
            signal.severity = severity;
            return !stages_.candidates(definitions_.intern(signal, strings_), signal, definitions_).empty();
        });
    }

private:
    engine::StageIndex stages_;
    engine::StringPool strings_;
    engine::Definitions definitions_;
};

}  // namespace

std::optional<std::vector<std::int32_t>> wanted_definitions(PqConnection& connection, engine::TenantId tenant, const engine::Pattern& pattern,
                                                            std::size_t most) {
    Index index{pattern};
    std::vector<std::int32_t> wanted;
    for (std::int32_t last = 0;;) {
        const std::vector<PqParameter> parameters{int4_value(tenant.value()), int4_value(last)};
        const auto rows = connection.query(page_sql, parameters);
        for (int row = 0; row < rows.rows(); ++row) {
            last = rows.int4(row, 0);
            const auto tactics = read_text_array(rows.text(row, 4));
            const auto techniques = read_text_array(rows.text(row, 5));
            engine::SignalView signal;
            signal.domain = rows.text(row, 1);
            signal.source = rows.text(row, 2);
            signal.name = rows.text(row, 3);
            signal.tactics = tactics;
            signal.techniques = techniques;
            if (index.may_want(signal)) wanted.push_back(last);
        }
        if (wanted.size() > most) return std::nullopt;
        if (rows.rows() < page_size) return wanted;
    }
}

}  // namespace catenary::server
