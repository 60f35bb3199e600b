#include "api/json/chain_json.hpp"

#include "api/json/finding_json.hpp"
#include "api/json/time_json.hpp"

#include <nlohmann/json.hpp>

namespace catenary::api::json {

using Json = nlohmann::ordered_json;

namespace {

Json reached_stage(const std::string& stage, const engine::SignalRef& signal) {
    return {{"stage", stage}, {"at", format_time(signal.time)}, {"source", signal.source}, {"id", signal.id}};
}

Json reached_of(const std::vector<engine::ChainStage>& stages) {
    Json list = Json::array();
    for (const auto& one : stages) list.push_back(reached_stage(one.id, one.signal));
    return list;
}

Json time_or_null(const std::optional<engine::Timestamp>& time) { return time ? Json(format_time(*time)) : Json(nullptr); }
Json span_or_null(const std::optional<engine::Duration>& span) { return span ? Json(format_iso_duration(*span)) : Json(nullptr); }
template <class T>
Json value_or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

}  // namespace

Json to_json(const engine::PartialChain& chain) {
    const auto missing = static_cast<std::int64_t>(chain.missing.size());
    return {{"pattern", chain.pattern},
            {"version", chain.version},
            {"mode", engine::to_string(chain.mode)},
            {"title", chain.title},
            {"entity", to_json(chain.entity)},
            {"reached", reached_of(chain.reached)},
            {"awaited", chain.missing.front()},
            {"missing", chain.missing},
            {"closeness", static_cast<double>(chain.stages - missing) / static_cast<double>(chain.stages)},
            {"start", format_time(chain.start)},
            {"end", format_time(chain.end)},
            {"waits_until", format_time(chain.until)}};
}

Json to_json(const ports::NearMissRow& row) {
    const auto& miss = row.record;
    return {{"id", row.id},
            {"pattern", miss.pattern},
            {"version", miss.version},
            {"mode", engine::to_string(miss.mode)},
            {"entity", to_json(miss.entity)},
            {"reached", reached_of(miss.reached)},
            {"missing", Json::array({miss.missing})},
            {"start", format_time(miss.start)},
            {"end", format_time(miss.end)},
            {"waited_until", format_time(miss.until)}};
}

Json to_json(const engine::PatternHealth& health, std::optional<engine::Timestamp> newest, std::uint64_t all_work) {
    const auto silent = newest && health.last_finding ? std::optional{std::max(engine::Duration{0}, *newest - *health.last_finding)} : std::nullopt;
    return {{"version", health.version},
            {"mode", engine::to_string(health.mode)},
            {"attempts", health.attempts},
            {"bytes", health.bytes},
            {"signals", health.signals},
            {"findings", health.findings},
            {"near_misses", health.near_misses},
            {"near_misses_dropped", health.near_misses_dropped},
            {"capped_groups", health.capped},
            {"held_signals", health.held},
            {"held_signals_limit", health.held_most},
            {"evicted_signals", health.evicted},
            {"turned_away_signals", health.turned_away},
            {"work", health.work},
            {"work_share", all_work == 0 ? 0.0 : static_cast<double>(health.work) / static_cast<double>(all_work)},
            {"last_signal", time_or_null(health.last_signal)},
            {"last_finding", time_or_null(health.last_finding)},
            {"silent_for", span_or_null(silent)}};
}

Json to_json(const engine::WhyNot& answer) {
    Json value{{"stage", answer.stage.empty() ? Json(nullptr) : Json(answer.stage)},
               {"reason", engine::to_string(answer.reason)},
               {"by", span_or_null(answer.by)},
               {"limit", span_or_null(answer.limit)},
               {"count", value_or_null(answer.counted)},
               {"needed", value_or_null(answer.needed)},
               {"closest", answer.closest ? to_json(*answer.closest) : Json(nullptr)}};
    auto& reached = value["reached"] = Json::array();
    for (const auto& one : answer.reached) reached.push_back(reached_stage(one.stage, one.signal));
    return value;
}

}  // namespace catenary::api::json
