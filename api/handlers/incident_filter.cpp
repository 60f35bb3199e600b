#include "api/handlers/incident_filter.hpp"

#include "api/documents/suggestion.hpp"
#include "api/handlers/filters.hpp"
#include "api/json/quoted.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace catenary::api::handlers {
namespace {

using Column = ports::IncidentFilter::Column;
using Key = ports::IncidentFilter::Key;

struct SortWord {
    std::string_view word;
    Column column;
};
constexpr std::array<SortWord, 8> sort_words{{{"score", Column::score},
                                              {"severity", Column::severity},
                                              {"created", Column::created},
                                              {"updated", Column::updated},
                                              {"first_activity", Column::first_activity},
                                              {"last_activity", Column::last_activity},
                                              {"signal_count", Column::signal_count},
                                              {"number", Column::number}}};
constexpr std::size_t most_sort_keys = 3;
constexpr std::array<std::string_view, 3> statuses{"new", "active", "closed"};
constexpr std::array<std::string_view, 4> severities{"informational", "low", "medium", "high"};
constexpr std::array<std::string_view, 4> classifications{"true_positive", "benign_positive", "false_positive", "undetermined"};

/// `include` takes a list with commas as well as repeats; tickets are always part of an incident.
void read_include(http::QueryReader& query, IncidentListing& listing) {
    for (const auto& written : query.many("include")) {
        for (std::size_t from = 0; from <= written.size();) {
            const auto comma = std::min(written.find(',', from), written.size());
            const auto word = written.substr(from, comma - from);
            if (word == "redirected") listing.filter.include_redirected = true;
            else if (word == "entities") listing.all_entities = true;
            else if (word != "tickets")
                query.fault("include", engine::FaultCode::out_of_range, "must be entities, tickets or redirected, or several with commas between");
            from = comma + 1;
        }
    }
}

/// `-score,created`: the first key decides, `-` turns it round.
void read_sort(http::QueryReader& query, ports::IncidentFilter& filter) {
    const auto written = query.one("sort");
    if (!written) return;
    const auto refuse = [&](engine::FaultCode code, std::string detail) { query.fault("sort", code, std::move(detail)); };
    std::vector<Key> keys;
    for (std::size_t from = 0; from <= written->size();) {
        const auto comma = std::min(written->find(',', from), written->size());
        auto word = std::string_view{*written}.substr(from, comma - from);
        from = comma + 1;
        const bool descending = word.starts_with('-');
        if (descending) word.remove_prefix(1);
        const auto known = std::ranges::find(sort_words, word, &SortWord::word);
        if (known == sort_words.end()) {
            std::vector<std::string_view> words;
            for (const auto& each : sort_words) words.push_back(each.word);
            return refuse(engine::FaultCode::out_of_range, "cannot sort by " + json::in_quotes(word) + documents::suggestion(word, words));
        }
        if (std::ranges::find(keys, known->column, &Key::column) != keys.end())
            return refuse(engine::FaultCode::conflict, json::in_quotes(word) + " is in the list already");
        keys.push_back({known->column, descending});
    }
    if (keys.size() > most_sort_keys) return refuse(engine::FaultCode::out_of_range, "at most 3 keys");
    filter.sort = std::move(keys);
}

}  // namespace

IncidentListing incident_listing(http::QueryReader& query) {
    IncidentListing listing;
    auto& filter = listing.filter;
    for (const auto i : query.words("status", statuses)) filter.statuses.push_back(*engine::incident_status_from(statuses[i]));
    for (const auto i : query.words("severity", severities)) filter.severities.push_back(*engine::severity_from(severities[i]));
    for (const auto i : query.words("classification", classifications)) filter.classifications.push_back(*engine::classification_from(classifications[i]));
    filter.owners = query.many("owner");
    filter.labels = query.many("label");
    filter.patterns = query.many("pattern");
    filter.domains = query.many("domain");
    filter.tactics = query.many("tactic");
    filter.techniques = query.many("technique");
    filter.entities = entities_in(query);
    filter.score_min = query.number("score_min", 0, 1);
    filter.first_activity = range_in(query, "first_activity");
    filter.last_activity = range_in(query, "last_activity");
    filter.created = range_in(query, "created");
    filter.updated = range_in(query, "updated");
    filter.q = query.one("q").value_or("");
    read_sort(query, filter);
    read_include(query, listing);
    return listing;
}

}  // namespace catenary::api::handlers
