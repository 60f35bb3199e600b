#include "api/handlers/incidents.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/time_json.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace catenary::api::handlers {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t most_compared = 200;
constexpr std::int64_t most_listed = 50;
constexpr std::int64_t usually_listed = 10;
constexpr std::size_t most_values = 20;  // of one reason
constexpr std::size_t most_counted = 5;  // further values of one kind make two incidents no more alike

// What one shared value is worth: the same victim says most, a technique that many incidents have least.
constexpr int principal_worth = 8;
constexpr int pattern_worth = 4;
constexpr int entity_worth = 2;
constexpr int technique_worth = 1;

std::string text_of(const std::string& value) { return value; }
std::string text_of(const engine::EntityKey& entity) { return entity.kind + ':' + entity.value; }

struct Similar {
    const engine::IncidentRecord* incident;
    std::size_t similarity = 0;
    Json reasons = Json::array();

    template <class T>
    void share(std::string_view what, int worth, const std::set<T>& left, const std::set<T>& right) {
        std::vector<T> both;
        std::set_intersection(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(both));
        if (both.empty()) return;
        similarity += static_cast<std::size_t>(worth) * std::min(both.size(), most_counted);
        Json values = Json::array();
        for (std::size_t i = 0; i < std::min(both.size(), most_values); ++i) values.push_back(text_of(both[i]));
        reasons.push_back({{"shared", what}, {"values", std::move(values)}, {"total", both.size()}});
    }
};

template <class T>
std::set<T> set_of(const std::vector<T>& values) {
    return {values.begin(), values.end()};
}

std::set<engine::EntityKey> others_of(const engine::IncidentRecord& incident, const std::set<engine::EntityKey>& principals) {
    std::set<engine::EntityKey> others;
    for (const auto& entity : incident.entities) {
        if (!principals.contains(entity)) others.insert(entity);
    }
    return others;
}

Similar compare(const engine::IncidentRecord& own, const engine::IncidentRecord& other) {
    // A principal of both says more than one that the other merely mentions.
    std::set<engine::EntityKey> principals;
    std::ranges::set_intersection(set_of(own.principals), set_of(other.principals), std::inserter(principals, principals.end()));
    Similar similar{&other};
    similar.share("principal", principal_worth, principals, principals);
    similar.share("pattern", pattern_worth, set_of(own.patterns), set_of(other.patterns));
    similar.share("entity", entity_worth, others_of(own, principals), others_of(other, principals));
    similar.share("technique", technique_worth, set_of(own.techniques), set_of(other.techniques));
    return similar;
}

Json item_of(const Similar& similar) {
    const auto& incident = *similar.incident;
    return {{"number", incident.number.value()},
            {"title", incident.title},
            {"status", engine::to_string(incident.status)},
            {"classification", incident.classification ? Json(engine::to_string(*incident.classification)) : Json(nullptr)},
            {"severity", engine::to_string(incident.severity)},
            {"score", incident.score},
            {"first_activity", json::format_time(incident.first_activity)},
            {"last_activity", json::format_time(incident.last_activity)},
            {"similarity", similar.similarity},
            {"reasons", similar.reasons}};
}

}  // namespace

http::Response similar_incidents(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    const auto limit = static_cast<std::size_t>(query.integer("limit", 1, most_listed).value_or(usually_listed));
    if (auto refusal = query.refusal()) return *refusal;
    const auto incident = story_in_path(request, caller, services);
    if (!incident) return failure_reply(request, incident.error());
    const auto alike = services.incidents.alike(caller, *incident, most_compared);
    if (!alike) return failure_reply(request, alike.error());
    std::vector<Similar> ranked;
    for (const auto& other : *alike) {
        if (auto similar = compare(*incident, other); similar.similarity > 0) ranked.push_back(std::move(similar));
    }
    std::ranges::stable_sort(ranked, [](const Similar& left, const Similar& right) {
        if (left.similarity != right.similarity) return left.similarity > right.similarity;
        return left.incident->number > right.incident->number;
    });
    Json items = Json::array();
    for (std::size_t i = 0; i < std::min(limit, ranked.size()); ++i) items.push_back(item_of(ranked[i]));
    return json_reply(200, {{"items", std::move(items)}, {"compared", alike->size()}});
}

}  // namespace catenary::api::handlers
