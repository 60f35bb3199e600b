#include "server/net/reply.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <chrono>

#include <string>
#include <utility>

namespace catenary::server::net {
namespace {

using boost::beast::http::field;
using boost::beast::http::status;

constexpr unsigned http_1_1 = 11;

bool is_safe(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// These end with their head.
bool has_body(int code) { return code != 204 && code != 304; }

/// `Date` of a reply made now (RFC 9110 IMF-fixdate).
std::string http_date() {
    // Names are spelled out: the C library's depend on the locale.
    constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto now = fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[static_cast<std::size_t>(now.tm_wday)], now.tm_mday,
                       months[static_cast<std::size_t>(now.tm_mon)], now.tm_year + 1900, now.tm_hour, now.tm_min, now.tm_sec);
}

}  // namespace

Reply make_reply(api::http::Response&& response, std::string_view request_id, AfterReply after) {
    Reply reply;
    reply.version(http_1_1);
    reply.result(static_cast<unsigned>(response.status));
    reply.set(field::date, http_date());
    reply.set("X-Request-Id", request_id);
    reply.set("X-Content-Type-Options", "nosniff");
    if (has_body(response.status)) {
        if (is_safe(response.content_type)) reply.set(field::content_type, response.content_type);
        reply.body() = std::move(response.body);
        reply.content_length(reply.body().size());
    }
    for (const auto& [name, value] : response.headers) {
        if (is_safe(name) && is_safe(value)) reply.insert(name, value);
    }
    if (reply.count(field::cache_control) == 0) reply.set(field::cache_control, "no-store");  // a tenant's data has no place in a shared cache
    if (after == AfterReply::close) reply.keep_alive(false);
    return reply;
}

Reply continue_reply() { return Reply{status::continue_, http_1_1}; }

}  // namespace catenary::server::net
