#include "api/documents/members.hpp"
#include "api/handlers/body.hpp"
#include "api/handlers/control.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/time_json.hpp"

#include <array>

namespace catenary::api::handlers {

using documents::Place;

namespace {

constexpr std::array<std::string_view, 2> members{"time", "hold"};

engine::WatermarkCall read_call(const Place& place, const nlohmann::json& body) {
    engine::WatermarkCall call{};
    if (documents::read_object(place, body, members) == nullptr) return call;
    if (const auto* time = documents::required(place, body, "time")) {
        const auto at = place.member("time");
        if (const auto text = documents::read_line(at, *time, 64)) {
            const auto parsed = json::parse_time(*text);
            if (parsed) call.time = *parsed;
            else at.fault(engine::FaultCode::malformed, "must be an RFC 3339 time with an offset, such as 2026-03-05T22:47:11Z");
        }
    }
    if (const auto* hold = documents::optional_member(body, "hold")) call.hold = documents::read_bool(place.member("hold"), *hold).value_or(false);
    return call;
}

}  // namespace

http::Response set_watermark(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto body = read_body(request, BodySyntax::json_only);
    if (body.refusal) return *body.refusal;
    engine::Faults faults;
    const auto call = read_call(Place{faults}, body.value);
    if (!faults.empty()) return invalid_document(request, faults);
    const auto position = services.control.watermark(caller, call);
    if (!position) return failure_reply(request, position.error());
    return json_reply(200, {{"time", json::format_time(call.time)}, {"hold", call.hold}, {"position", position->value()}});
}

}  // namespace catenary::api::handlers
