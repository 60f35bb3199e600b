#include "server/net/reply.hpp"

#include "server/net/gate.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <iterator>

namespace catenary::server::net {
namespace {

bool is_safe(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

std::string_view reason_phrase(int status) {
    switch (status) {
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 207: return "Multi-Status";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 422: return "Unprocessable Content";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 503: return "Service Unavailable";
        default: return "Unnamed";
    }
}

bool has_body(int status) { return status != 204 && status != 304; }

std::string reply_head(const api::http::Response& response, std::string_view request_id, std::string_view date, AfterReply after) {
    std::string head;
    head.reserve(512);
    auto out = std::back_inserter(head);
    fmt::format_to(out, "HTTP/1.1 {} {}\r\nDate: {}\r\nX-Request-Id: {}\r\nX-Content-Type-Options: nosniff\r\n", response.status,
                   reason_phrase(response.status), date, request_id);
    if (has_body(response.status)) {
        fmt::format_to(out, "Content-Length: {}\r\n", response.body.size());
        if (is_safe(response.content_type)) fmt::format_to(out, "Content-Type: {}\r\n", response.content_type);
    }
    bool caching_said = false;
    for (const auto& [name, value] : response.headers) {
        if (!is_safe(name) || !is_safe(value)) continue;
        fmt::format_to(out, "{}: {}\r\n", name, value);
        caching_said = caching_said || same_name(name, "cache-control");
    }
    if (!caching_said) head += "Cache-Control: no-store\r\n";  // a tenant's data has no place in a shared cache
    if (after == AfterReply::close) head += "Connection: close\r\n";
    head += "\r\n";
    return head;
}

std::string http_date() {
    // Names are spelled out: the C library's depend on the locale.
    constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto now = fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[static_cast<std::size_t>(now.tm_wday)], now.tm_mday,
                       months[static_cast<std::size_t>(now.tm_mon)], now.tm_year + 1900, now.tm_hour, now.tm_min, now.tm_sec);
}

}  // namespace catenary::server::net
