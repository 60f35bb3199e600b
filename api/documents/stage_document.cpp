#include "api/documents/stage_document.hpp"

#include "api/documents/members.hpp"
#include "api/documents/predicate_document.hpp"
#include "api/json/time_json.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

namespace catenary::api::documents {

using engine::FaultCode;
using nlohmann::json;

namespace {

constexpr std::array<std::string_view, 5> stage_members{"id", "match", "optional", "within", "repeat"};
constexpr std::array<std::string_view, 4> repeat_members{"at_least", "within", "by", "distinct"};
constexpr std::int64_t most_repeats = 1'000'000'000;

engine::Repeat repeat_from_json(const Place& place, const json& object) {
    engine::Repeat repeat{1, {}, {}, std::nullopt};
    if (const auto* value = required(place, object, "at_least")) repeat.at_least = read_integer(place.member("at_least"), *value, 1, most_repeats).value_or(1);
    if (const auto* value = required(place, object, "within")) {
        repeat.within = read_span(place.member("within"), *value).value_or(engine::Duration{});
    }
    if (const auto* value = required(place, object, "by")) repeat.by = read_kind(place.member("by"), *value).value_or("");
    if (const auto* value = optional_member(object, "distinct")) {
        const auto at = place.member("distinct");
        const auto written = read_line(at, *value, 256);
        if (!written) return repeat;
        auto field = engine::Field::parse(*written);
        if (field) repeat.distinct = std::move(*field);
        else at.fault(field.error().code, "unknown field " + in_quotes(*written) + field_suggestion(*written, false));
    }
    return repeat;
}

}  // namespace

std::optional<engine::Duration> read_span(const Place& place, const json& value) {
    if (!value.is_string()) {
        place.fault(FaultCode::wrong_type, fmt::format("a span is written \"30m\", \"24h\" or \"14d\", not as {}", type_name(value)));
        return std::nullopt;
    }
    const auto& text = value.get_ref<const std::string&>();
    if (auto span = api::json::parse_span(text)) return span;
    place.fault(FaultCode::malformed, in_quotes(text) + " is no span: a positive whole number and s, m, h or d, at most 400 days");
    return std::nullopt;
}

std::optional<std::string> read_kind(const Place& place, const json& value) {
    auto text = read_line(place, value, 64);
    if (!text || engine::Field::parse("entities." + *text)) return text;
    place.fault(FaultCode::malformed, in_quotes(*text) + " is no entity kind: a word of a-z, 0-9, '_' and '-'");
    return std::nullopt;
}

StageDocument stage_from_json(const Place& place, const json& value) {
    StageDocument document;
    auto& stage = document.stage;
    if (read_object(place, value, stage_members) == nullptr) return document;
    if (const auto* id = required(place, value, "id")) stage.id = read_line(place.member("id"), *id, 64).value_or("");
    if (const auto* match = required(place, value, "match")) {
        if (auto predicate = predicate_from_json(place.member("match"), *match)) {
            stage.match = std::move(predicate->predicate);
            document.match = std::move(predicate->normal);
        }
    }
    if (const auto* optional = optional_member(value, "optional")) stage.optional = read_bool(place.member("optional"), *optional).value_or(false);
    if (const auto* within = optional_member(value, "within")) {
        stage.within = read_span(place.member("within"), *within);
    }
    if (const auto* repeat = optional_member(value, "repeat")) {
        const auto at = place.member("repeat");
        if (read_object(at, *repeat, repeat_members) != nullptr) stage.repeat = repeat_from_json(at, *repeat);
    }
    return document;
}

nlohmann::ordered_json stage_to_json(const engine::Stage& stage, const json& match) {
    nlohmann::ordered_json written{{"id", stage.id}, {"match", match}};
    if (stage.optional) written["optional"] = true;
    if (stage.within) written["within"] = api::json::format_span(*stage.within);
    if (stage.repeat) {
        const auto& repeat = *stage.repeat;
        auto& out = written["repeat"] = {{"at_least", repeat.at_least}, {"within", api::json::format_span(repeat.within)}, {"by", repeat.by}};
        if (repeat.distinct) out["distinct"] = repeat.distinct->written();
    }
    return written;
}

}  // namespace catenary::api::documents
