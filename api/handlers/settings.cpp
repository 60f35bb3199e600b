#include "api/handlers/settings.hpp"

#include "api/documents/members.hpp"
#include "api/documents/stage_document.hpp"
#include "api/handlers/body.hpp"
#include "api/handlers/reply.hpp"
#include "api/http/etag.hpp"
#include "api/json/time_json.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <functional>

namespace catenary::api::handlers {

using documents::Place;
using engine::Duration;
using engine::FaultCode;
using ports::TenantSettings;
using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;

namespace {

constexpr int most_attempts = 5;  // of an unconditional change while others change too

/// One setting: how it is shown and read. `read` records a fault where the value is not allowed.
struct Setting {
    std::string_view name;
    std::string_view meaning;
    Json least, most;
    std::function<Json(const TenantSettings&)> show;
    std::function<void(const Place&, const nlohmann::json&, TenantSettings&)> read;
};

Setting span(std::string_view name, std::string_view meaning, Duration least, Duration most, Duration TenantSettings::*member) {
    const auto shown = [member](const TenantSettings& settings) { return Json(json::format_span(settings.*member)); };
    const auto read = [=](const Place& place, const nlohmann::json& value, TenantSettings& settings) {
        const auto given = documents::read_span(place, value);
        if (!given) return;
        if (*given < least || *given > most)
            place.fault(FaultCode::out_of_range,
                        fmt::format("must be from {} to {}, not {}", json::format_span(least), json::format_span(most), json::format_span(*given)));
        else settings.*member = *given;
    };
    return {name, meaning, json::format_span(least), json::format_span(most), shown, read};
}

Setting base_rate() {
    constexpr double least = 0.0001;
    constexpr double most = 0.5;
    const auto read = [=](const Place& place, const nlohmann::json& value, TenantSettings& settings) {
        if (!value.is_number()) return place.fault(FaultCode::wrong_type, fmt::format("must be a number, not {}", documents::type_name(value)));
        const auto given = value.get<double>();
        if (given >= least && given <= most) settings.base_rate = given;
        else place.fault(FaultCode::out_of_range, fmt::format("must be from {} to {}, not {}", least, most, value.dump()));
    };
    return {"base_rate",
            "How probable it is that any one signal is part of an attack, before anything is known about it. The lower, the more evidence a high score takes.",
            least,
            most,
            [](const TenantSettings& settings) { return Json(settings.base_rate); },
            read};
}

template <class Number>
Setting whole_number(std::string_view name, std::string_view meaning, Number least, Number most, Number TenantSettings::*member) {
    const auto read = [=](const Place& place, const nlohmann::json& value, TenantSettings& settings) {
        if (const auto given = documents::read_integer(place, value, least, most)) settings.*member = static_cast<Number>(*given);
    };
    return {name, meaning, least, most, [member](const TenantSettings& settings) { return Json(settings.*member); }, read};
}

const std::vector<Setting>& table() {
    static const std::vector<Setting> settings{
        span("lateness", "How long after newer ones a signal may arrive without being late. The watermark lies this far behind the newest event.", 1s, 7 * 24h,
             &TenantSettings::lateness),
        span("group_within",
             "How far apart in time incidents of one principal may be and still be shown as related. Holds for findings that come after the change.", 1s,
             30 * 24h, &TenantSettings::group_within),
        base_rate(),
        whole_number("unlinkable_limit",
                     "A signal that names more entities of one kind than this links by none of that kind. Holds for signals later in event time than all "
                     "before the change.",
                     1, 32, &TenantSettings::unlinkable_limit),
        whole_number<std::int64_t>("window_signals",
                                   "How many signals that patterns wait for are held in memory at most, a hundred bytes each and some more for what hangs on "
                                   "them. Beyond that the oldest are "
                                   "forgotten before their time.",
                                   1'000, 200'000'000, &TenantSettings::window_signals),
        whole_number<std::int64_t>(
            "daily_incidents",
            "How many incidents that one pattern opens on one event day stand alone. Findings beyond them, by start and id, are listed in "
            "one incident together. Holds for days that are in memory, too.",
            1, 1'000'000, &TenantSettings::daily_incidents),
        whole_number("incident_entities", "How many entities an incident lists at most, those that its findings are about first. It says how many there are.",
                     20, 2'000, &TenantSettings::incident_entities)};
    return settings;
}

Json body_of(const ports::StoredSettings& stored) {
    Json all = Json::object();
    for (const auto& setting : table()) {
        all[std::string{setting.name}] = {{"value", setting.show(stored.values)},
                                          {"default", setting.show(TenantSettings{})},
                                          {"minimum", setting.least},
                                          {"maximum", setting.most},
                                          {"meaning", setting.meaning}};
    }
    return {{"settings", std::move(all)},
            {"revision", stored.revision},
            {"changed", stored.changed ? Json(json::format_time(*stored.changed)) : Json(nullptr)},
            {"changed_by", stored.changed_by.empty() ? Json(nullptr) : Json(stored.changed_by)}};
}

TenantSettings read_settings(const Place& place, const nlohmann::json& body, TenantSettings settings) {
    std::vector<std::string_view> names;
    for (const auto& setting : table()) names.push_back(setting.name);
    if (documents::read_object(place, body, names) == nullptr) return settings;
    if (body.empty()) place.fault(FaultCode::missing, "names at least one setting");
    for (const auto& setting : table()) {
        const auto* value = documents::optional_member(body, setting.name);
        if (value == nullptr) continue;
        const auto at = place.member(setting.name);
        // null: the default, which passes through the same check as any other value
        setting.read(at, value->is_null() ? nlohmann::json(setting.show(TenantSettings{})) : *value, settings);
    }
    return settings;
}

}  // namespace

http::Response get_settings(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto stored = services.settings.read(caller);
    if (!stored) return failure_reply(request, stored.error());
    return revised_reply(request, stored->revision, body_of(*stored));
}

http::Response change_settings(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto body = read_body(request, BodySyntax::json_only);
    if (body.refusal) return *body.refusal;
    const bool is_conditional = !request.if_match.empty() && request.if_match != "*";
    for (int attempt = 1;; ++attempt) {
        const auto stored = services.settings.read(caller);
        if (!stored) return failure_reply(request, stored.error());
        if (!http::if_match_holds(request.if_match, stored->revision)) {
            return http::problem(request, http::ProblemKind::precondition_failed, fmt::format("the settings are at revision {}", stored->revision));
        }
        engine::Faults faults;
        const auto wanted = read_settings(Place{faults}, body.value, stored->values);
        if (!faults.empty()) return invalid_document(request, faults);
        const auto changed = services.settings.change(caller, wanted, stored->revision);
        if (!changed && changed.error().code == ports::FailureCode::stale && !is_conditional && attempt < most_attempts) continue;
        if (!changed) return failure_reply(request, changed.error());
        auto response = json_reply(200, body_of(*changed));
        response.headers.emplace_back("ETag", http::etag_of(changed->revision));
        return response;
    }
}

}  // namespace catenary::api::handlers
