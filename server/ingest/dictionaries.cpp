#include "server/ingest/dictionaries.hpp"

#include "engine/model/assert.hpp"
#include "server/ingest/pq_connection.hpp"
#include "server/ingest/pq_values.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace catenary::server {
namespace {

// About what a value takes in its table, keys and slack included; a title group holds up to 64 titles beside it.
constexpr std::size_t entity_bytes = 40, definition_bytes = 36, title_group_bytes = 900;

// Each pair is run one after the other in one transaction that holds the log: add what is missing, then read every id.
constexpr const char* add_entities = R"(
    INSERT INTO entity (tenant, kind, value, identifies)
    SELECT u.tenant, u.kind, u.value, u.identifies FROM unnest($1::int4[], $2::text[], $3::text[], $4::bool[]) AS u(tenant, kind, value, identifies)
    WHERE NOT EXISTS (SELECT FROM entity e WHERE e.tenant = u.tenant AND e.kind = u.kind AND e.value = u.value)
    ON CONFLICT DO NOTHING)";
constexpr const char* read_entities = R"(
    SELECT u.place, e.id FROM unnest($1::int4[], $2::text[], $3::text[]) WITH ORDINALITY AS u(tenant, kind, value, place)
    JOIN entity e ON e.tenant = u.tenant AND e.kind = u.kind AND e.value = u.value)";

constexpr const char* add_definitions = R"(
    INSERT INTO def (tenant, domain, source, name, tactics, techniques)
    SELECT u.tenant, u.domain, u.source, u.name, u.tactics::text[], u.techniques::text[]
    FROM unnest($1::int4[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) AS u(tenant, domain, source, name, tactics, techniques)
    WHERE NOT EXISTS (SELECT FROM def d WHERE d.tenant = u.tenant AND d.source = u.source AND d.name = u.name AND d.domain = u.domain
                      AND d.tactics = u.tactics::text[] AND d.techniques = u.techniques::text[])
    ON CONFLICT DO NOTHING)";
constexpr const char* read_definitions = R"(
    SELECT u.place, d.id FROM unnest($1::int4[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
        WITH ORDINALITY AS u(tenant, domain, source, name, tactics, techniques, place)
    JOIN def d ON d.tenant = u.tenant AND d.source = u.source AND d.name = u.name AND d.domain = u.domain
              AND d.tactics = u.tactics::text[] AND d.techniques = u.techniques::text[])";

constexpr const char* add_titles = R"(
    INSERT INTO title (tenant, source, name, title)
    SELECT u.tenant, u.source, u.name, u.title FROM unnest($1::int4[], $2::text[], $3::text[], $4::text[]) AS u(tenant, source, name, title)
    ON CONFLICT DO NOTHING)";
constexpr const char* read_titles = R"(
    SELECT u.place, t.id FROM unnest($1::int4[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS u(tenant, source, name, title, place)
    JOIN title t ON t.tenant = u.tenant AND t.source = u.source AND t.name = u.name AND t.title = u.title)";
constexpr const char* read_title_groups = R"(
    SELECT u.place, t.id, t.title FROM unnest($1::int4[], $2::text[], $3::text[]) WITH ORDINALITY AS u(tenant, source, name, place)
    JOIN title t ON t.tenant = u.tenant AND t.source = u.source AND t.name = u.name)";

/// Values to look up, each once, and the slots that wait for the answer.
class Unknown {
public:
    /// Returns whether the value is new to the list.
    bool want(const Digest& digest, std::size_t slot) {
        const auto [it, added] = places_.try_emplace(digest, digests_.size());
        if (added) digests_.push_back(digest);
        slots_.emplace_back(slot, it->second);
        return added;
    }
    bool knows(const Digest& digest) const { return places_.contains(digest); }
    bool empty() const { return digests_.empty(); }

    /// Takes (place from 1, id) rows; every place must be answered.
    template <class Id, class Staged>
    void answer(const PqResult& rows, std::vector<Id>& ids, Staged& staged, Id (PqResult::*read)(int, int) const) {
        std::vector<Id> found(digests_.size(), Id{0});
        for (int row = 0; row < rows.rows(); ++row) found[static_cast<std::size_t>(rows.int8(row, 0) - 1)] = (rows.*read)(row, 1);
        for (std::size_t i = 0; i < digests_.size(); ++i) {
            if (found[i] == 0) throw PqError{"a dictionary entry is missing after it was added", "", false};
            staged[digests_[i]] = found[i];
        }
        for (const auto& [slot, place] : slots_) ids[slot] = found[place];
    }

private:
    boost::unordered_flat_map<Digest, std::size_t, DigestHash> places_;
    std::vector<Digest> digests_;
    std::vector<std::pair<std::size_t, std::size_t>> slots_;
};

}  // namespace

Dictionaries::Dictionaries(std::size_t bytes, const DigestKey& key)
    : digester_{key}, entities_{bytes / 8 * 5 / entity_bytes}, definitions_{bytes / 8 / definition_bytes}, titles_{bytes / 4 / title_group_bytes} {}

void Dictionaries::keep() {
    for (const auto& [digest, id] : staged_.entities) entities_.put(digest, id);
    for (const auto& [digest, id] : staged_.definitions) definitions_.put(digest, id);
    for (auto& [digest, group] : staged_.titles) titles_.put(digest, std::move(group));
    forget();
}

void Dictionaries::forget() {
    staged_.entities.clear();
    staged_.definitions.clear();
    staged_.titles.clear();
}

RowIds Dictionaries::intern(PqConnection& connection, const Group& group) {
    forget();
    RowIds ids;
    intern_entities(connection, group, ids);
    intern_definitions(connection, group, ids);
    intern_titles(connection, group, ids);
    return ids;
}

void Dictionaries::intern_entities(PqConnection& connection, const Group& group, RowIds& ids) {
    Unknown unknown;
    std::vector<std::int32_t> tenants;
    std::vector<std::string_view> kinds, values;
    std::vector<bool> identifies;
    for (const auto& row : group.rows) {
        const auto& waiting = *group.requests[row.request].waiting;
        auto digest = waiting.digests.entities.begin() + row.entities;
        for (const auto& entity : group.signal(row).entities) {
            const auto* known = entities_.find(*digest);
            ids.entities.push_back(known != nullptr ? *known : 0);
            if (known == nullptr && unknown.want(*digest, ids.entities.size() - 1)) {
                tenants.push_back(waiting.tenant.value());
                kinds.push_back(entity.kind);
                values.push_back(entity.value);
                identifies.push_back(entity.identifies);
            }
            ++digest;
        }
    }
    if (unknown.empty()) return;
    std::vector<PqParameter> parameters{int4_array(tenants), text_array(kinds), text_array(values), bool_array(identifies)};
    connection.query(add_entities, parameters);
    parameters.pop_back();
    unknown.answer(connection.query(read_entities, parameters), ids.entities, staged_.entities, &PqResult::int8);
}

void Dictionaries::intern_definitions(PqConnection& connection, const Group& group, RowIds& ids) {
    Unknown unknown;
    std::vector<std::int32_t> tenants;
    std::vector<std::string_view> domains, sources, names;
    std::vector<std::string> tactics, techniques;
    ids.definitions.reserve(group.rows.size());
    for (const auto& row : group.rows) {
        const auto& digest = group.digests(row).definition;
        const auto* known = definitions_.find(digest);
        ids.definitions.push_back(known != nullptr ? *known : 0);
        if (known != nullptr || !unknown.want(digest, ids.definitions.size() - 1)) continue;
        const auto& signal = group.signal(row);
        tenants.push_back(group.requests[row.request].waiting->tenant.value());
        domains.push_back(signal.domain);
        sources.push_back(signal.source);
        names.push_back(signal.name);
        tactics.push_back(array_literal(signal.tactics));
        techniques.push_back(array_literal(signal.techniques));
    }
    if (unknown.empty()) return;
    const std::vector<std::string_view> tactic_texts{tactics.begin(), tactics.end()};
    const std::vector<std::string_view> technique_texts{techniques.begin(), techniques.end()};
    const std::vector<PqParameter> parameters{int4_array(tenants), text_array(domains),      text_array(sources),
                                              text_array(names),   text_array(tactic_texts), text_array(technique_texts)};
    connection.query(add_definitions, parameters);
    unknown.answer(connection.query(read_definitions, parameters), ids.definitions, staged_.definitions, &PqResult::int4);
}

const Dictionaries::TitleGroup* Dictionaries::title_group(const Digest& digest) {
    if (const auto it = staged_.titles.find(digest); it != staged_.titles.end()) return &it->second;
    return titles_.find(digest);
}

void Dictionaries::load_title_groups(PqConnection& connection, const Group& group) {
    std::vector<std::int32_t> tenants;
    std::vector<std::string_view> sources, names;
    std::vector<Digest> wanted;
    for (const auto& row : group.rows) {
        const auto& signal = group.signal(row);
        const auto& digest = group.digests(row).title_group;
        if (signal.title.empty() || title_group(digest) != nullptr) continue;
        staged_.titles[digest];
        wanted.push_back(digest);
        tenants.push_back(group.requests[row.request].waiting->tenant.value());
        sources.push_back(signal.source);
        names.push_back(signal.name);
    }
    if (wanted.empty()) return;
    const std::vector<PqParameter> parameters{int4_array(tenants), text_array(sources), text_array(names)};
    const auto rows = connection.query(read_title_groups, parameters);
    for (int row = 0; row < rows.rows(); ++row) {
        const auto place = static_cast<std::size_t>(rows.int8(row, 0) - 1);
        const auto digest = title_digest(digester_, engine::TenantId{tenants[place]}, sources[place], names[place], rows.text(row, 2));
        staged_.titles[wanted[place]].emplace_back(digest, rows.int4(row, 1));
    }
}

void Dictionaries::intern_titles(PqConnection& connection, const Group& group, RowIds& ids) {
    load_title_groups(connection, group);
    Unknown unknown;
    std::vector<std::int32_t> tenants;
    std::vector<std::string_view> sources, names, titles;
    std::vector<std::pair<Digest, Digest>> added;  // (name, title)
    Staged<std::size_t> sizes;                     // of title groups that grow
    ids.titles.reserve(group.rows.size());
    for (const auto& row : group.rows) {
        ids.titles.push_back(0);
        const auto& signal = group.signal(row);
        if (signal.title.empty()) continue;
        const auto& digests = group.digests(row);
        const auto* known = title_group(digests.title_group);
        CATENARY_ASSERT(known != nullptr, "title groups were loaded");
        const auto it = std::find_if(known->begin(), known->end(), [&](const auto& title) { return title.first == digests.title; });
        if (it != known->end()) {
            ids.titles.back() = it->second;
            continue;
        }
        auto& size = sizes.try_emplace(digests.title_group, known->size()).first->second;
        if (!unknown.knows(digests.title) && size >= titles_a_name) continue;  // spelled in the row
        if (!unknown.want(digests.title, ids.titles.size() - 1)) continue;
        ++size;
        added.emplace_back(digests.title_group, digests.title);
        tenants.push_back(group.requests[row.request].waiting->tenant.value());
        sources.push_back(signal.source);
        names.push_back(signal.name);
        titles.push_back(signal.title);
    }
    if (unknown.empty()) return;
    const std::vector<PqParameter> parameters{int4_array(tenants), text_array(sources), text_array(names), text_array(titles)};
    connection.query(add_titles, parameters);
    Staged<std::int32_t> numbers;
    unknown.answer(connection.query(read_titles, parameters), ids.titles, numbers, &PqResult::int4);
    for (const auto& [name, title] : added) {
        auto grown = *title_group(name);
        grown.emplace_back(title, numbers[title]);
        staged_.titles[name] = std::move(grown);
    }
}

}  // namespace catenary::server
