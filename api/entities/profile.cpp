#include "api/entities/profile.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace catenary::api::entities {
namespace {

using nlohmann::json;

/// The member of a {"<index of entity>": …} object that belongs to the entity; null where there is none.
json of_entity(const engine::EntityKey& of, const engine::Signal& signal, const std::string& by_index) {
    if (by_index.empty()) return nullptr;
    const auto object = json::parse(by_index, nullptr, false);
    if (!object.is_object()) return nullptr;
    for (std::size_t i = 0; i < signal.entities.size(); ++i) {
        if (signal.entities[i].kind != of.kind || signal.entities[i].value != of.value) continue;
        const auto member = object.find(std::to_string(i));
        return member == object.end() ? json(nullptr) : *member;
    }
    return nullptr;
}

template <class Counted>
void count(Counted& counted, engine::Timestamp time) {
    counted.first = counted.signals == 0 ? time : std::min(counted.first, time);
    counted.last = counted.signals == 0 ? time : std::max(counted.last, time);
    ++counted.signals;
}

}  // namespace

std::vector<NameCount> count_names(std::span<const ports::StoredSignalRow> rows) {
    std::map<std::tuple<std::string, std::string, std::string>, NameCount> by_name;
    for (const auto& row : rows) {
        const auto& signal = row.signal;
        auto& counted = by_name[{signal.source, signal.name, signal.domain}];
        if (counted.signals == 0) counted = {signal.source, signal.name, signal.domain, 0, {}, {}};
        count(counted, signal.time);
    }
    std::vector<NameCount> counts;
    for (auto& [key, counted] : by_name) counts.push_back(std::move(counted));
    std::ranges::stable_sort(counts, std::ranges::greater{}, &NameCount::signals);
    return counts;
}

std::vector<Neighbour> count_neighbours(const engine::EntityKey& of, std::span<const ports::StoredSignalRow> rows) {
    std::map<engine::EntityKey, Neighbour> by_key;
    for (const auto& row : rows) {
        for (const auto& mention : row.signal.entities) {
            engine::EntityKey key{mention.kind, mention.value};
            if (key == of) continue;
            auto& counted = by_key[key];
            if (counted.signals == 0) counted = {std::move(key), mention.identifies, 0, {}, {}};
            count(counted, row.signal.time);
        }
    }
    std::vector<Neighbour> counts;
    for (auto& [key, counted] : by_key) counts.push_back(std::move(counted));
    std::ranges::stable_sort(counts, std::ranges::greater{}, &Neighbour::signals);
    return counts;
}

std::vector<std::string> spellings(const engine::EntityKey& of, std::span<const ports::StoredSignalRow> rows) {
    std::set<std::string> found;
    for (const auto& row : rows) {
        const auto spelling = of_entity(of, row.signal, row.shown_json);
        if (spelling.is_string()) found.insert(spelling.get<std::string>());
    }
    found.erase(of.value);
    return {found.begin(), found.end()};
}

std::vector<StatedAlias> stated_aliases(const engine::EntityKey& of, std::span<const ports::StoredSignalRow> rows) {
    std::map<engine::EntityKey, StatedAlias> found;
    for (const auto& row : rows) {
        const auto aliases = of_entity(of, row.signal, row.aliases_json);
        if (!aliases.is_array()) continue;
        for (const auto& alias : aliases) {
            if (!alias.is_object()) continue;
            engine::EntityKey key{alias.value("kind", ""), alias.value("value", "")};
            auto& stated = found[key];
            if (!stated.source.empty() && stated.last >= row.signal.time) continue;
            stated = {std::move(key), row.signal.source, row.signal.time};
        }
    }
    std::vector<StatedAlias> aliases;
    for (auto& [key, stated] : found) aliases.push_back(std::move(stated));
    return aliases;
}

}  // namespace catenary::api::entities
