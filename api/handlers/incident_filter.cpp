#include "api/handlers/incident_filter.hpp"

#include "api/handlers/filters.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace catenary::api::handlers {
namespace {

using Sort = ports::IncidentFilter::Sort;

constexpr std::array<std::pair<std::string_view, Sort>, 10> sorts{{{"-score", Sort::score_desc},
                                                                   {"score", Sort::score_asc},
                                                                   {"-created", Sort::created_desc},
                                                                   {"created", Sort::created_asc},
                                                                   {"-updated", Sort::updated_desc},
                                                                   {"updated", Sort::updated_asc},
                                                                   {"-last_activity", Sort::last_activity_desc},
                                                                   {"last_activity", Sort::last_activity_asc},
                                                                   {"-number", Sort::number_desc},
                                                                   {"number", Sort::number_asc}}};
constexpr auto sort_words = [] {
    std::array<std::string_view, sorts.size()> words;
    for (std::size_t i = 0; i < sorts.size(); ++i) words[i] = sorts[i].first;
    return words;
}();
constexpr std::array<std::string_view, 3> statuses{"new", "active", "closed"};
constexpr std::array<std::string_view, 4> severities{"informational", "low", "medium", "high"};
constexpr std::array<std::string_view, 4> classifications{"true_positive", "benign_positive", "false_positive", "undetermined"};

/// `include` takes a list with commas as well as repeats; tickets are always part of an incident.
void read_include(http::QueryReader& query, IncidentListing& listing) {
    for (const auto& written : query.many("include")) {
        for (std::size_t from = 0; from <= written.size();) {
            const auto comma = std::min(written.find(',', from), written.size());
            const auto word = written.substr(from, comma - from);
            if (word == "redirected")
                listing.filter.include_redirected = true;
            else if (word == "entities")
                listing.all_entities = true;
            else if (word != "tickets")
                query.fault("include", engine::FaultCode::out_of_range, "must be entities, tickets or redirected, or several with commas between");
            from = comma + 1;
        }
    }
}

}  // namespace

IncidentListing incident_listing(http::QueryReader& query) {
    IncidentListing listing;
    auto& filter = listing.filter;
    for (const auto i : query.words("status", statuses)) filter.statuses.push_back(*engine::incident_status_from(statuses[i]));
    for (const auto i : query.words("severity", severities)) filter.severities.push_back(*engine::severity_from(severities[i]));
    for (const auto i : query.words("classification", classifications))
        filter.classifications.push_back(*engine::classification_from(classifications[i]));
    filter.owners = query.many("owner");
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
    if (const auto i = query.word("sort", sort_words)) filter.sort = sorts[*i].second;
    read_include(query, listing);
    return listing;
}

}  // namespace catenary::api::handlers
