#include "server/pg/signal_rows.hpp"

#include "server/ingest/signal_row.hpp"
#include "server/pg/sql_text.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

namespace catenary::server::pg {
namespace {

const Statement entities_by_id{"entities_by_id", "SELECT id, kind, value, identifies FROM entity WHERE id = ANY($1::int8[])"};

}  // namespace

SignalRow signal_row_from(const pqxx::row& row) {
    SignalRow read;
    read.key = row[0].c_str();
    auto& signal = read.signal.signal;
    signal.time = timestamp_from(row[1]);
    read.signal.received = timestamp_from(row[2]);
    signal.severity = static_cast<engine::Severity>(row[3].as<int>());
    signal.confidence = double_from(row[4]);
    signal.count = row[5].as<std::int64_t>();
    read.entities = integer_array(row[6]);
    const pqxx::binarystring roles{row[7]};
    const auto bytes = std::as_bytes(std::span{roles.data(), roles.size()});
    read.roles.assign(bytes.begin(), bytes.end());
    signal.id = row[8].c_str();
    read.signal.attributes_json = row[9].c_str();
    read.shown = row[10].c_str();
    signal.domain = row[11].c_str();
    signal.source = row[12].c_str();
    signal.name = row[13].c_str();
    signal.tactics = text_array(row[14]);
    signal.techniques = text_array(row[15]);
    read.signal.title = row[16].c_str();
    read.signal.late = row[17].as<bool>();
    read.is_place = row[18].as<bool>();
    read.signal.behind_horizon = row[19].as<bool>();
    return read;
}

void name_entities(TenantTransaction& transaction, std::vector<SignalRow>& rows) {
    std::vector<std::int64_t> ids;
    for (const auto& row : rows) ids.insert(ids.end(), row.entities.begin(), row.entities.end());
    std::ranges::sort(ids);
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    std::map<std::int64_t, engine::EntityMention> known;
    if (!ids.empty()) {
        for (const auto& row : transaction.rows(entities_by_id, array_literal(ids))) {
            known[row[0].as<std::int64_t>()] = {row[1].c_str(), row[2].c_str(), "", row[3].as<bool>()};
        }
    }
    for (auto& row : rows) {
        auto shown = shown_from(row.shown);
        for (std::size_t i = 0; i < row.entities.size(); ++i) {
            auto mention = known[row.entities[i]];
            mention.role = role_of(row.roles, i, shown);
            row.signal.signal.entities.push_back(std::move(mention));
        }
        row.signal.shown_json = std::move(shown.values_json);
        row.signal.aliases_json = std::move(shown.aliases_json);
        if (!shown.title.empty()) row.signal.title = std::move(shown.title);
    }
}

}  // namespace catenary::server::pg
