#include "server/lanes/stored_names.hpp"

#include "server/ingest/signal_row.hpp"

#include <algorithm>
#include <stdexcept>

namespace catenary::server {
namespace {

// A node, its table entry and the allocator's share, beside the texts.
constexpr std::size_t overhead = 160;

template <class Id>
void add_unknown(std::vector<Id>& unknown, Id id) {
    if (unknown.empty() || unknown.back() != id) unknown.push_back(id);
}

template <class Id>
void keep_each_once(std::vector<Id>& ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

template <class Names, class Id>
const auto& named(const Names& names, Id id, const char* what) {
    const auto it = names.find(id);
    if (it == names.end()) throw std::runtime_error(std::string{"a signal names "} + what + " " + std::to_string(id) + ", which is not stored");
    return *it->second;
}

}  // namespace

void StoredNames::load(std::span<StoredRow> rows, Titles titles) {
    if (bytes_ > most_bytes_) {
        definitions_.clear();
        titles_.clear();
        entities_.clear();
        bytes_ = 0;
    }
    std::vector<std::int32_t> unknown_definitions, unknown_titles;
    std::vector<std::int64_t> unknown_entities;
    std::vector<std::pair<std::size_t, std::int64_t>> open;  // (place in resolved_, id)
    resolved_.clear();
    for (auto& row : rows) {
        row.names = static_cast<std::uint32_t>(resolved_.size());
        if (!definitions_.contains(row.definition)) add_unknown(unknown_definitions, row.definition);
        if (titles == Titles::read && row.title != 0 && !titles_.contains(row.title)) add_unknown(unknown_titles, row.title);
        for (std::size_t i = 0; i < row.entity_count(); ++i) {
            const auto id = row.entity(i);
            const auto known = entities_.find(id);
            resolved_.push_back(known == entities_.end() ? nullptr : known->second.get());
            if (known != entities_.end()) continue;
            open.emplace_back(resolved_.size() - 1, id);
            unknown_entities.push_back(id);
        }
    }
    if (!unknown_definitions.empty()) load_definitions((keep_each_once(unknown_definitions), unknown_definitions));
    if (!unknown_titles.empty()) load_titles((keep_each_once(unknown_titles), unknown_titles));
    if (!unknown_entities.empty()) load_entities((keep_each_once(unknown_entities), unknown_entities));
    for (const auto& [place, id] : open) resolved_[place] = &named(entities_, id, "entity");
}

void StoredNames::load_definitions(const std::vector<std::int32_t>& ids) {
    for (auto& [id, definition] : source_.definitions(ids)) {
        bytes_ += overhead + definition.domain.size() + definition.source.size() + definition.name.size() +
                  40 * (definition.tactics.size() + definition.techniques.size());
        definitions_[id] = std::make_unique<Definition>(std::move(definition));
    }
}

void StoredNames::load_titles(const std::vector<std::int32_t>& ids) {
    for (auto& [id, title] : source_.titles(ids)) {
        bytes_ += overhead + title.size();
        titles_[id] = std::make_unique<std::string>(std::move(title));
    }
}

void StoredNames::load_entities(const std::vector<std::int64_t>& ids) {
    for (auto& [id, entity] : source_.entities(ids)) {
        bytes_ += overhead + entity.kind.size() + entity.value.size();
        entities_[id] = std::make_unique<Entity>(std::move(entity));
    }
}

const StoredNames::Definition& StoredNames::definition(std::int32_t id) const { return named(definitions_, id, "definition"); }
const std::string& StoredNames::title(std::int32_t id) const { return named(titles_, id, "title"); }

engine::Signal signal_of(const StoredRow& row, const StoredNames& names) {
    const auto& definition = names.definition(row.definition);
    engine::Signal signal;
    signal.source = definition.source;
    signal.id = row.source_id;
    signal.time = row.time;
    signal.domain = definition.domain;
    signal.name = definition.name;
    signal.tactics = definition.tactics;
    signal.techniques = definition.techniques;
    signal.severity = static_cast<engine::Severity>(row.severity);
    signal.confidence = row.confidence;
    signal.count = row.count;
    const auto shown = shown_from(row.shown);
    for (std::size_t i = 0; i < row.entity_count(); ++i) {
        const auto& entity = names.entity(row, i);
        signal.entities.push_back({entity.kind, entity.value, role_of(row.roles, i, shown), entity.identifies});
    }
    return signal;
}

std::string title_of(const StoredRow& row, const StoredNames& names) { return row.title != 0 ? names.title(row.title) : shown_from(row.shown).title; }

}  // namespace catenary::server
