#include "api/handlers/entities.hpp"

#include "api/entities/profile.hpp"
#include "api/handlers/filters.hpp"
#include "api/handlers/reply.hpp"
#include "api/http/etag.hpp"
#include "api/json/entity_json.hpp"
#include "api/json/time_json.hpp"
#include "engine/model/canonical.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace catenary::api::handlers {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_tags_asked = 20;
constexpr std::size_t names_in_profile = 100;
constexpr std::size_t neighbours_in_profile = 20;
constexpr std::size_t spellings_in_profile = 20;
constexpr std::size_t aliases_in_profile = 50;
constexpr std::size_t incidents_in_profile = 20;

ports::SignalFilter signals_of(const engine::EntityKey& key, ports::TimeRange time = {}) {
    ports::SignalFilter filter;
    filter.entities = {key};
    filter.time = time;
    return filter;
}

template <class T>
Json first_of(const std::vector<T>& all, std::size_t most) {
    auto list = Json::array();
    for (std::size_t i = 0; i < all.size() && i < most; ++i) list.push_back(json::to_json(all[i]));
    return list;
}

/// When the entity was mentioned first: from its oldest signal, or null when that was not found in the time a page may take.
ports::Outcome<Json> first_seen(const engine::EntityKey& key, const ports::Page<ports::StoredSignalRow>& newest, const Caller& caller,
                                ports::Services& services) {
    if (!newest.next) return newest.items.empty() ? Json(nullptr) : Json(json::format_time(newest.items.back().signal.time));
    auto oldest = signals_of(key);
    oldest.newest_first = false;
    const auto page = services.signals.page(caller, oldest, {1, ""});
    if (!page) return page.error();
    return page->items.empty() ? Json(nullptr) : Json(json::format_time(page->items.front().signal.time));
}

ports::Outcome<Json> incidents_of(const engine::EntityKey& key, const Caller& caller, ports::Services& services) {
    ports::IncidentFilter filter;
    filter.entities = {key};
    filter.sort = {{ports::IncidentFilter::Column::last_activity, true}};
    const auto page = services.incidents.page(caller, filter, {incidents_in_profile, ""});
    if (!page) return page.error();
    auto list = Json::array();
    for (const auto& incident : page->items) list.push_back(json::incident_line_to_json(incident));
    return list;
}

}  // namespace

ports::Outcome<ports::EntityRow> entity_in_path(const http::Request& request, const Caller& caller, ports::Services& services) {
    const auto& kind = request.segments.at(kind_segment);
    return services.entities.find(caller, {kind, engine::canonical(kind, request.segments.at(value_segment)).value});
}

http::Response list_entities(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    ports::EntityFilter filter;
    filter.kinds = query.many("kind");
    filter.prefix = query.one("prefix").value_or("");
    filter.tags = query.many("tag");
    if (filter.tags.size() > most_tags_asked) query.fault("tag", engine::FaultCode::too_large, "at most 20 tags can be asked for");
    for (const auto word : query.words("criticality", entities::criticality_words)) filter.criticalities.push_back(entities::criticality_at(word));
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto page = services.entities.page(caller, filter, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [](const auto& row) { return json::to_json(row); });
}

http::Response get_entity(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto entity = entity_in_path(request, caller, services);
    if (!entity) return failure_reply(request, entity.error());
    const auto& key = entity->key;
    const auto newest = services.signals.page(caller, signals_of(key), {newest_signals, ""});
    if (!newest) return failure_reply(request, newest.error());
    const auto first = first_seen(key, *newest, caller, services);
    if (!first) return failure_reply(request, first.error());

    auto body = json::to_json(*entity);
    body["first_seen"] = *first;
    body["last_seen"] = newest->items.empty() ? Json(nullptr) : Json(json::format_time(newest->items.front().signal.time));
    const auto shown = entities::spellings(key, newest->items);
    body["spellings"] = std::vector<std::string>(shown.begin(), shown.begin() + static_cast<std::ptrdiff_t>(std::min(shown.size(), spellings_in_profile)));
    body["signals"] = {
        {"examined", newest->items.size()}, {"complete", !newest->next}, {"by_name", first_of(entities::count_names(newest->items), names_in_profile)}};
    body["neighbours"] = first_of(entities::count_neighbours(key, newest->items), neighbours_in_profile);
    body["aliases"] = first_of(entities::stated_aliases(key, newest->items), aliases_in_profile);
    if (caller.may(Scope::incidents_read)) {
        const auto incidents = incidents_of(key, caller, services);
        if (!incidents) return failure_reply(request, incidents.error());
        body["incidents"] = *incidents;
    }
    auto response = json_reply(200, body);
    response.headers.emplace_back("ETag",
                                  http::etag_of(entity->revision));  // for If-Match; signals change the profile without it, so it is no reason for a 304
    return response;
}

http::Response entity_timeline(const http::Request& request, const Caller& caller, ports::Services& services) {
    constexpr std::array<std::string_view, 2> sorts{"-time", "time"};
    http::QueryReader query{request};
    const auto time = range_in(query, "time");
    const bool newest_first = query.word("sort", sorts).value_or(0) == 0;
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto entity = entity_in_path(request, caller, services);
    if (!entity) return failure_reply(request, entity.error());
    auto filter = signals_of(entity->key, time);
    filter.newest_first = newest_first;
    const auto page = services.signals.page(caller, filter, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [&](const auto& row) { return json::timeline_item_to_json(row, entity->key); });
}

http::Response entity_neighbours(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    const auto kinds = query.many("kind");
    const auto time = range_in(query, "time");
    const auto limit = query.limit();
    if (auto refusal = query.refusal()) return *refusal;
    const auto entity = entity_in_path(request, caller, services);
    if (!entity) return failure_reply(request, entity.error());
    const auto newest = services.signals.page(caller, signals_of(entity->key, time), {newest_signals, ""});
    if (!newest) return failure_reply(request, newest.error());
    auto neighbours = entities::count_neighbours(entity->key, newest->items);
    if (!kinds.empty()) std::erase_if(neighbours, [&](const auto& neighbour) { return std::ranges::find(kinds, neighbour.key.kind) == kinds.end(); });
    return json_reply(
        200,
        {{"items", first_of(neighbours, limit)}, {"total", neighbours.size()}, {"signals", {{"examined", newest->items.size()}, {"complete", !newest->next}}}});
}

}  // namespace catenary::api::handlers
