#include "api/handlers/filters.hpp"

#include "engine/model/canonical.hpp"

#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>

namespace catenary::api::handlers {

using engine::FaultCode;

std::vector<engine::EntityKey> entities_in(http::QueryReader& query) {
    std::vector<engine::EntityKey> entities;
    for (const auto& written : query.many("entity")) {
        const auto colon = written.find(':');
        if (colon == 0 || colon == std::string::npos || colon + 1 == written.size()) {
            query.fault("entity", FaultCode::malformed, "an entity is written kind:value, such as account:j.morrison@ne.example");
            continue;
        }
        const auto kind = written.substr(0, colon);
        engine::EntityKey entity{kind, engine::canonical(kind, std::string_view{written}.substr(colon + 1)).value};
        if (std::ranges::find(entities, entity) == entities.end()) entities.push_back(std::move(entity));
    }
    return entities;
}

ports::TimeRange range_in(http::QueryReader& query, std::string_view name) {
    const auto after = std::string{name} + "_after";
    const auto before = std::string{name} + "_before";
    ports::TimeRange range;
    range.first = query.time(after);
    range.second = query.time(before);
    if (range.first && range.second && *range.second < *range.first) query.fault(before, FaultCode::conflict, "must not be earlier than " + after);
    return range;
}

std::optional<std::int64_t> positive_number(std::string_view segment) {
    std::int64_t number = 0;
    const auto* end = segment.data() + segment.size();
    const auto [stopped, error] = std::from_chars(segment.data(), end, number);
    if (error != std::errc{} || stopped != end || number < 1) return std::nullopt;
    return number;
}

std::optional<engine::FindingId> finding_id(const std::string& text) {
    try {
        const auto id = boost::uuids::string_generator{}(text);
        if (boost::uuids::to_string(id) == text) return engine::FindingId{id};  // the library takes braces and missing dashes too
    } catch (const std::runtime_error&) {                                       // not a UUID
    }
    return std::nullopt;
}

}  // namespace catenary::api::handlers
