#pragma once

#include "api/http/problem.hpp"
#include "api/http/query.hpp"
#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace catenary::api::handlers {

http::Response json_reply(int status, const nlohmann::ordered_json& body);

/// A 200 with the entity tag of `revision`, or 304 where the client has that one already.
http::Response revised_reply(const http::Request& request, std::int64_t revision, const nlohmann::ordered_json& body);

/// What a port could not do, as a problem; what it recorded but could not see through as a 202. A lost COMMIT has no true answer: status 0 makes the session close the connection without a reply.
http::Response failure_reply(const http::Request& request, const ports::Failure& failure);

http::Response not_found(const http::Request& request, std::string_view what);

/// 422 with every fault.
http::Response invalid_document(const http::Request& request, const engine::Faults& faults);

/// Refuses any query parameter; for resources that take none.
std::optional<http::Response> refuse_parameters(const http::Request& request);

/// `limit` and `cursor`, the cursor opened; a fault of `query` when it does not belong to this list.
ports::PageRequest page_request(http::QueryReader& query, const http::Request& request, const Caller& caller, const ports::Services& services);

/// {"items": […], "next_cursor": …}
nlohmann::ordered_json page_body(nlohmann::ordered_json items, const std::optional<std::string>& next, const http::Request& request, const Caller& caller,
                                 const ports::Services& services);

template <class T, class ToJson>
http::Response page_reply(const ports::Page<T>& page, const http::Request& request, const Caller& caller, const ports::Services& services, ToJson&& to_json) {
    auto items = nlohmann::ordered_json::array();
    for (const auto& item : page.items) items.push_back(to_json(item));
    return json_reply(200, page_body(std::move(items), page.next, request, caller, services));
}

}  // namespace catenary::api::handlers
