#pragma once

#include "api/ingest/prepared.hpp"
#include "api/json/time_json.hpp"

#include <string>
#include <utility>

namespace catenary::tests {

inline const engine::Timestamp posting_time = *api::json::parse_time("2026-03-05T23:00:00Z");

inline api::http::Request post(std::string body, std::string content_type = "application/json") {
    api::http::Request request;
    request.method = api::http::Method::post;
    request.target = "/api/v1/signals";
    request.segments = {"api", "v1", "signals"};
    request.content_type = std::move(content_type);
    request.request_id = "r-1";
    request.body = std::move(body);
    return request;
}

inline api::ingest::Preparation prepared(api::http::Request request, const api::Caller& caller = {}) {
    return api::ingest::prepare(request, caller, posting_time, api::ingest::IngestLimits{});
}

/// A complete signal with one member added or replaced: `member` is JSON text such as `"count":3`, "" for none.
inline std::string signal_with(const std::string& member) {
    std::string name = member.substr(0, member.find(':'));
    std::string text = "{";
    for (const auto* usual : {R"("source":"entra_id")", R"("time":"2026-03-05T22:47:11Z")", R"("domain":"identity")", R"("name":"sign_in")"}) {
        const std::string own{usual};
        if (name.empty() || !own.starts_with(name + ":")) text += own + ",";
    }
    text += member;
    if (text.back() == ',') text.pop_back();
    return text + "}";
}

}  // namespace catenary::tests
