#include "api/documents/absence_document.hpp"

#include "api/documents/members.hpp"
#include "api/documents/predicate_document.hpp"
#include "api/documents/stage_document.hpp"
#include "api/json/time_json.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <vector>

namespace catenary::api::documents {

using engine::Absence;
using engine::FaultCode;
using nlohmann::json;

namespace {

constexpr std::array<std::string_view, 5> absence_members{"match", "between", "after", "before", "within"};
constexpr std::size_t no_stage = std::numeric_limits<std::size_t>::max();

/// Nothing is said of a document whose stages have no names: that is at fault already.
std::size_t stage_named(const Place& place, const json& value, std::span<const engine::Stage> stages) {
    std::vector<std::string_view> ids;
    for (const auto& stage : stages) ids.push_back(stage.id);
    if (ids.empty() || std::ranges::find(ids, std::string_view{}) != ids.end()) return no_stage;
    return read_word(place, value, ids).value_or(no_stage);
}

void read_between(const Place& place, const json& value, const json& object, std::span<const engine::Stage> stages, Absence& absence) {
    absence.where = Absence::Where::between;
    const auto at = place.member("between");
    if (read_list(at, value, 2, 2) != nullptr) {
        absence.stage = stage_named(at.item(0), value[0], stages);
        absence.until = stage_named(at.item(1), value[1], stages);
    }
    if (optional_member(object, "within") == nullptr) return;
    place.member("within").fault(FaultCode::conflict, "what lies between two stages is limited by them; leave \"within\" out");
}

}  // namespace

AbsenceDocument absence_from_json(const Place& place, const json& value, std::span<const engine::Stage> stages) {
    AbsenceDocument document{{{}, Absence::Where::after, no_stage, no_stage, {}}, nullptr};
    Absence& absence = document.absence;
    if (read_object(place, value, absence_members) == nullptr) return document;
    if (const auto* match = required(place, value, "match")) {
        if (auto predicate = predicate_from_json(place.member("match"), *match)) {
            absence.match = std::move(predicate->predicate);
            document.match = std::move(predicate->normal);
        }
    }
    const auto* between = optional_member(value, "between");
    const auto* after = optional_member(value, "after");
    const auto* before = optional_member(value, "before");
    const int ways = (between != nullptr ? 1 : 0) + (after != nullptr ? 1 : 0) + (before != nullptr ? 1 : 0);
    if (ways != 1) {
        place.fault(ways == 0 ? FaultCode::missing : FaultCode::conflict,
                    "what is absent is absent in one interval: \"between\": [\"a\", \"b\"], or \"after\": \"a\" or \"before\": \"a\" with a \"within\"");
        return document;
    }
    if (between != nullptr) {
        read_between(place, *between, value, stages, absence);
        return document;
    }
    absence.where = after != nullptr ? Absence::Where::after : Absence::Where::before;
    absence.stage = stage_named(place.member(after != nullptr ? "after" : "before"), after != nullptr ? *after : *before, stages);
    if (const auto* within = required(place, value, "within")) absence.within = read_span(place.member("within"), *within).value_or(engine::Duration{});
    return document;
}

nlohmann::ordered_json absence_to_json(const Absence& absence, const json& match, std::span<const engine::Stage> stages) {
    nlohmann::ordered_json written{{"match", match}};
    if (absence.where == Absence::Where::between) {
        written["between"] = {stages[absence.stage].id, stages[absence.until].id};
        return written;
    }
    written[absence.where == Absence::Where::after ? "after" : "before"] = stages[absence.stage].id;
    written["within"] = api::json::format_span(absence.within);
    return written;
}

}  // namespace catenary::api::documents
