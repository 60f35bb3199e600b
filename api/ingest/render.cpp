#include "api/http/problem.hpp"
#include "api/http/target.hpp"
#include "api/ingest/prepared.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

namespace catenary::api::ingest {
namespace {

using Json = nlohmann::ordered_json;
using http::ProblemKind;

/// One line of the answer, whoever decided it.
struct Item {
    std::uint32_t index;
    std::string_view id;
    std::string_view status;
    const engine::Faults* errors;
};

std::string_view status_of(const ItemOutcome& outcome) {
    if (outcome.refused) return "rejected";
    switch (outcome.status) {
        case ItemStatus::accepted: return "accepted";
        case ItemStatus::duplicate: return "duplicate";
        case ItemStatus::conflict: return "conflict";
    }
    return "rejected";
}

bool is_refused(const ItemOutcome& outcome) { return outcome.refused || outcome.status == ItemStatus::conflict; }

Json json_of(const Item& item) {
    Json json{{"index", item.index}, {"id", nullptr}, {"status", item.status}};
    if (!item.id.empty()) json["id"] = item.id;
    if (item.errors->empty()) return json;
    auto& errors = json["errors"] = Json::array();
    for (const auto& fault : *item.errors) errors.push_back({{"pointer", fault.pointer}, {"code", engine::to_string(fault.code)}, {"detail", fault.detail}});
    return json;
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// A problem with the item as an extension member (RFC 9457, section 3.2).
http::Response problem_with_item(const http::Request& request, ProblemKind kind, std::string_view detail, const Item& item) {
    auto response = http::problem(request, kind, detail, *item.errors);
    response.body.pop_back();
    response.body += ",\"item\":" + text_of(json_of(item)) + "}";
    return response;
}

http::Response single(const http::Request& request, const PreparedBatch& batch, const CommitOutcome& outcome) {
    if (batch.signals.empty()) {
        const auto& refused = batch.refused.front();
        return problem_with_item(request, ProblemKind::invalid_document, "the signal is refused", {refused.index, refused.id, "rejected", &refused.errors});
    }
    const auto& signal = batch.signals.front();
    const auto& decided = outcome.items.front();
    const Item item{signal.index, signal.id, status_of(decided), &decided.errors};
    if (decided.refused) return problem_with_item(request, ProblemKind::invalid_document, "the signal is refused", item);
    if (decided.status == ItemStatus::conflict) {
        return problem_with_item(request, ProblemKind::conflict, "a signal with this source and id and other content is stored already; it stays", item);
    }
    http::Response response;
    response.status = decided.status == ItemStatus::accepted ? 201 : 200;
    response.headers.emplace_back("Location", fmt::format("/api/v1/signals/{}/{}", http::percent_encoded(signal.source), http::percent_encoded(signal.id)));
    response.body = text_of(json_of(item));
    return response;
}

struct Counts {
    std::size_t accepted = 0, duplicates = 0, conflicts = 0, rejected = 0, late = 0;
};

Counts count(const PreparedBatch& batch, const CommitOutcome& outcome) {
    Counts counts;
    counts.rejected = batch.refused.size();
    for (const auto& item : outcome.items) {
        if (item.refused) {
            ++counts.rejected;
        } else if (item.status == ItemStatus::accepted) {
            ++counts.accepted;
            counts.late += item.late ? 1 : 0;
        } else if (item.status == ItemStatus::duplicate) {
            ++counts.duplicates;
        } else {
            ++counts.conflicts;
        }
    }
    return counts;
}

std::vector<Item> listed(const http::Request& request, const PreparedBatch& batch, const CommitOutcome& outcome) {
    const bool all = std::any_of(request.query.begin(), request.query.end(), [](const auto& pair) { return pair.first == "results"; });
    std::vector<Item> items;
    for (const auto& refused : batch.refused) items.push_back({refused.index, refused.id, "rejected", &refused.errors});
    for (std::size_t i = 0; i < outcome.items.size(); ++i) {
        const auto& decided = outcome.items[i];
        if (all || is_refused(decided)) items.push_back({batch.signals[i].index, batch.signals[i].id, status_of(decided), &decided.errors});
    }
    std::sort(items.begin(), items.end(), [](const Item& left, const Item& right) { return left.index < right.index; });
    return items;
}

std::string_view cause_of(CommitOutcome::State state) {
    switch (state) {
        case CommitOutcome::State::overloaded: return "the server has more to store than it can";
        case CommitOutcome::State::storage_full: return "the database has no room left on its disk";
        case CommitOutcome::State::failed: return "the database failed the transaction";
        default: return "the database cannot be reached";
    }
}

}  // namespace

http::Response render(const http::Request& request, const PreparedBatch& batch, const CommitOutcome& outcome) {
    if (outcome.state != CommitOutcome::State::committed) {
        return http::problem(request, ProblemKind::unavailable, fmt::format("{}; nothing of this request was stored", cause_of(outcome.state)));
    }
    if (batch.single) return single(request, batch, outcome);
    const auto counts = count(batch, outcome);
    const auto refused = counts.rejected + counts.conflicts;
    const auto kept = counts.accepted + counts.duplicates;
    http::Response response;
    response.status = refused == 0 ? 200 : kept > 0 ? 207 : 422;
    response.body = fmt::format(R"({{"accepted":{},"duplicates":{},"conflicts":{},"rejected":{},"late":{},"items":[)", counts.accepted, counts.duplicates,
                                counts.conflicts, counts.rejected, counts.late);
    std::string_view separator;
    for (const auto& item : listed(request, batch, outcome)) {
        response.body += separator;
        response.body += text_of(json_of(item));
        separator = ",";
    }
    response.body += "]}";
    return response;
}

}  // namespace catenary::api::ingest
