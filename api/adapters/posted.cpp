#include "api/adapters/posted.hpp"

#include "api/documents/members.hpp"
#include "api/http/problem.hpp"
#include "api/http/query.hpp"
#include "api/ingest/fault_list.hpp"
#include "api/json/limits.hpp"
#include "api/json/quoted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace catenary::api::adapters {
namespace {

using engine::FaultCode;
using http::ProblemKind;
using Json = nlohmann::ordered_json;

/// The signals that were made, with where they come from, and the records that gave none.
struct Made {
    std::vector<std::uint32_t> places;                        ///< index in the request, of each line of `lines`
    std::vector<std::map<std::string, std::string>> origins;  ///< same order
    std::vector<Json> signals;                                ///< same order; only to be shown
    std::string lines;                                        ///< as NDJSON
    std::vector<ingest::RefusedItem> refused;
    std::uint32_t count = 0;  ///< of records
    bool single = false;
};

struct Refusal {
    ProblemKind kind;
    std::string detail;
    engine::Faults faults = {};
};

constexpr std::string_view blanks = " \t\r\n";
constexpr std::size_t most_source_bytes = 128;

/// The texts of a JSON list's items, so that each is read by itself: a bad one is refused alone, and one at a time is in memory. Stops after `most` + 1.
/// Empty where brackets or commas are not in order; whether an item is valid is seen when it is read.
std::optional<std::vector<std::string_view>> items_of(std::string_view list, std::size_t most) {
    std::vector<std::string_view> items;
    std::size_t depth = 0;
    std::size_t begin = 1;
    bool in_string = false;
    const auto end_item = [&](std::size_t end) {
        const auto text = list.substr(begin, end - begin);
        begin = end + 1;
        if (text.find_first_not_of(blanks) == std::string_view::npos) return false;
        items.push_back(text);
        return true;
    };
    for (std::size_t i = 0; i < list.size(); ++i) {
        const char c = list[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
            continue;
        }
        if (c == '"') in_string = true;
        if (c == '[' || c == '{') ++depth;
        if ((c == ']' || c == '}') && --depth == 0) {
            const bool is_empty = items.empty() && list.substr(1, i - 1).find_first_not_of(blanks) == std::string_view::npos;
            const bool is_over = list.find_first_not_of(blanks, i + 1) == std::string_view::npos;
            if (c != ']' || !is_over || (!is_empty && !end_item(i))) return std::nullopt;
            return items;
        }
        if (c == ',' && depth == 1 && !end_item(i)) return std::nullopt;
        if (items.size() > most) return items;
    }
    return std::nullopt;
}

class Reader {
public:
    /// `shows`: whether the signals are wanted one by one as well.
    Reader(Format format, std::string source, const ingest::IngestLimits& limits, bool shows)
        : format_{format}, source_{std::move(source)}, limits_{limits}, shows_{shows} {}

    std::optional<Refusal> json(std::string_view body) {
        const auto begin = body.find_first_not_of(blanks);
        if (begin == std::string_view::npos || body[begin] != '[') {
            made_.single = true;
            record(body);
            return std::nullopt;
        }
        const auto texts = items_of(body.substr(begin), limits_.signals);
        if (!texts) return Refusal{ProblemKind::malformed_request, "the list is no valid JSON"};
        if (texts->size() > limits_.signals) return too_many();
        for (const auto text : *texts) record(text);
        return std::nullopt;
    }

    std::optional<Refusal> lines(std::string_view rest) {
        while (!rest.empty()) {
            const auto end = rest.find('\n');
            const auto text = rest.substr(0, end);
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
            if (text.find_first_not_of(blanks) == std::string_view::npos) continue;
            if (made_.count == limits_.signals) return too_many();
            record(text);
        }
        return std::nullopt;
    }

    Made take() && { return std::move(made_); }

private:
    Refusal too_many() const { return {ProblemKind::too_large, fmt::format("at most {} records are allowed in one request", limits_.signals)}; }

    void record(std::string_view text) {
        if (text.size() > limits_.signal_bytes) {
            return refuse({{FaultCode::too_large, "", fmt::format("the record is {} bytes long; at most {} are allowed", text.size(), limits_.signal_bytes)}});
        }
        json::JsonLimits one;
        one.bytes = limits_.signal_bytes;
        one.depth = limits_.depth;
        auto parsed = json::parse_document(text, one);
        if (auto* faults = std::get_if<engine::Faults>(&parsed)) return refuse(std::move(*faults));
        auto adapted = adapt(format_, std::get<nlohmann::json>(std::move(parsed)), source_);
        if (!adapted.faults.empty()) return refuse(std::move(adapted.faults));
        made_.places.push_back(made_.count++);
        made_.origins.push_back(std::move(adapted.origins));
        made_.lines += adapted.signal.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
        if (shows_) made_.signals.push_back(std::move(adapted.signal));
    }

    void refuse(engine::Faults faults) { made_.refused.push_back({made_.count++, "", said_.admit(std::move(faults))}); }

    Format format_;
    std::string source_;
    ingest::IngestLimits limits_;
    bool shows_;
    Made made_;
    ingest::FaultBudget said_;
};

/// Where in the record the value at a pointer into the signal comes from.
std::string origin_of(const std::map<std::string, std::string>& origins, std::string_view pointer) {
    for (auto known = pointer;; known = known.substr(0, known.rfind('/'))) {
        if (const auto found = origins.find(std::string{known}); found != origins.end()) {
            const bool is_mirrored = known == "/attributes";  // what is below stands so in the record; else the values are made of the origin
            return is_mirrored ? found->second + std::string{pointer.substr(known.size())} : found->second;
        }
        if (known.empty()) return "";
    }
}

/// Puts the records that gave no signal among the items, and every index and pointer into the terms of what was sent.
void restore(const Made& made, ingest::PreparedBatch& batch) {
    for (auto& signal : batch.signals) signal.index = made.places[signal.index];
    for (auto& refused : batch.refused) {
        const auto line = refused.index;
        refused.index = made.places[line];
        for (auto& fault : refused.errors) {
            auto origin = origin_of(made.origins[line], fault.pointer);
            if (origin.empty() && !fault.pointer.empty()) fault.detail += fmt::format(" (the signal's {})", fault.pointer);
            fault.pointer = std::move(origin);
        }
    }
    batch.refused.insert(batch.refused.end(), made.refused.begin(), made.refused.end());
    std::ranges::sort(batch.refused, {}, &ingest::RefusedItem::index);
    batch.single = made.single;
}

/// What would be posted, record by record; nothing is stored.
http::Response shown(Made made, const ingest::PreparedBatch& batch) {
    std::map<std::uint32_t, Json> items;
    for (std::size_t i = 0; i < made.places.size(); ++i) items.emplace(made.places[i], Json{{"index", made.places[i]}, {"signal", std::move(made.signals[i])}});
    for (const auto& signal : batch.signals) items.at(signal.index)["signal"]["id"] = signal.id;  // derived where the record has none
    for (const auto& refused : batch.refused) {
        auto& item = items.try_emplace(refused.index, Json{{"index", refused.index}}).first->second;
        auto& errors = item["errors"] = Json::array();
        for (const auto& fault : refused.errors)
            errors.push_back({{"pointer", fault.pointer}, {"code", engine::to_string(fault.code)}, {"detail", fault.detail}});
    }
    auto list = Json::array();
    for (auto& [index, item] : items) list.push_back(std::move(item));
    http::Response response;
    response.body = Json{{"items", std::move(list)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
    return response;
}

/// `source=`: what the member of a signal may be, said once instead of with every record.
std::string source_in(http::QueryReader& query, const Caller& caller) {
    auto given = query.one("source");
    if (!given) return {};
    engine::Faults faults;
    static_cast<void>(documents::read_line(documents::Place{faults}, *given, most_source_bytes));
    if (!faults.empty()) query.fault("source", faults.front().code, faults.front().detail);
    else if (*given == "catenary") query.fault("source", FaultCode::out_of_range, "source 'catenary' is reserved for what the server derives");
    else if (!caller.sources.empty() && !caller.sources.contains(*given))
        query.fault("source", FaultCode::out_of_range, "the key may not post for source " + json::in_quotes(*given));
    return *std::move(given);
}

}  // namespace

std::optional<Format> format_in_path(const http::Request& request) {
    if (request.segments.size() != 4 || request.segments[2] != "ingest") return std::nullopt;
    const auto& word = request.segments[3];
    if (word == "ocsf") return Format::ocsf;
    if (word == "cloudevents") return Format::cloudevents;
    if (word == "ecs") return Format::ecs;
    return std::nullopt;
}

ingest::Preparation prepare(Format format, const http::Request& request, const Caller& caller, engine::Timestamp now, const ingest::IngestLimits& limits) {
    constexpr std::array<std::string_view, 1> results{"all"};
    constexpr std::array<std::string_view, 4> json_types{"", "application/json", "application/cloudevents+json", "application/cloudevents-batch+json"};
    http::QueryReader query{request};
    query.word("results", results);
    const bool dry_run = query.flag("dry_run");
    auto source = source_in(query, caller);
    if (auto refusal = query.refusal()) return {nullptr, std::move(refusal)};
    const bool lines = request.content_type == "application/x-ndjson";
    const auto known = std::span{json_types}.first(format == Format::cloudevents ? 4 : 2);
    if (!lines && std::ranges::find(known, request.content_type) == known.end()) {
        return {nullptr, http::problem(request, ProblemKind::unsupported_media_type,
                                       "accepted are application/json and application/x-ndjson; for CloudEvents also "
                                       "application/cloudevents+json and application/cloudevents-batch+json")};
    }
    Reader reader{format, std::move(source), limits, dry_run};
    const auto refusal = lines ? reader.lines(request.body) : reader.json(request.body);
    if (refusal) return {nullptr, http::problem(request, refusal->kind, refusal->detail, refusal->faults)};

    auto made = std::move(reader).take();
    http::Request neutral;
    neutral.content_type = "application/x-ndjson";
    neutral.body = std::move(made.lines);
    auto prepared = ingest::prepare(neutral, caller, now, limits);
    if (prepared.refusal) return prepared;
    restore(made, *prepared.batch);
    if (dry_run) return {nullptr, shown(std::move(made), *prepared.batch)};
    return prepared;
}

}  // namespace catenary::api::adapters
