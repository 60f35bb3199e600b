#include "server/net/gate.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using catenary::api::http::Method;
using catenary::api::http::ProblemKind;
using namespace catenary::server::net;
using namespace std::string_literals;

namespace {

constexpr std::array<std::string_view, 2> probes{"/healthz", "/metrics"};

GateVerdict judge(std::string_view block) {
    GateLimits limits;
    limits.header_bytes = 512;
    limits.fields = 8;
    limits.body_bytes = 1000;
    limits.probes = probes;
    return examine(block, limits);
}

/// The kind of refusal; nothing when the head is let through.
std::optional<ProblemKind> refusal(std::string_view block) {
    const auto verdict = judge(block);
    if (const auto* refused = std::get_if<GateRefusal>(&verdict)) return refused->kind;
    return {};
}

std::string post(std::string_view fields) { return "POST /api/v1/signals HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n"; }

struct Refused {
    std::string_view name;
    std::string block;
    ProblemKind kind;
};

constexpr auto malformed = ProblemKind::malformed_request;
constexpr auto length_required = ProblemKind::length_required;

}  // namespace

TEST_CASE("a head that can be read in two ways is refused") {
    const std::vector<Refused> cases{
        {"chunked", post("Transfer-Encoding: chunked\r\n"), length_required},
        {"chunked with a length", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), length_required},
        {"chunked before a length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), length_required},
        {"an unknown coding", post("Transfer-Encoding: xchunked\r\n"), length_required},
        {"identity", post("Transfer-Encoding: identity\r\nContent-Length: 5\r\n"), length_required},
        {"an empty coding", post("Transfer-Encoding:\r\nContent-Length: 5\r\n"), length_required},
        {"a coding in odd case", post("tRANSFER-eNCODING: chunked\r\n"), length_required},
        {"a coding spelled with an underscore", post("Transfer_Encoding: chunked\r\nContent-Length: 5\r\n"), malformed},
        {"a blank before the colon", post("Transfer-Encoding : chunked\r\nContent-Length: 5\r\n"), malformed},
        {"a tab before the colon", post("Content-Length\t: 5\r\n"), malformed},
        {"a coding hidden in a folded line", post("X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), malformed},
        {"a folded line with a tab", post("X: a\r\n\tb\r\nContent-Length: 5\r\n"), malformed},
        {"a first line that is folded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", malformed},
        {"no length", post(""), length_required},
        {"two lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n"), malformed},
        {"two equal lengths", post("Content-Length: 5\r\nContent-Length: 5\r\n"), malformed},
        {"two lengths in one field", post("Content-Length: 5, 5\r\n"), malformed},
        {"a length with a sign", post("Content-Length: +5\r\n"), malformed},
        {"a negative length", post("Content-Length: -5\r\n"), malformed},
        {"a hexadecimal length", post("Content-Length: 0x5\r\n"), malformed},
        {"a length in exponent form", post("Content-Length: 1e1\r\n"), malformed},
        {"an empty length", post("Content-Length: \r\n"), malformed},
        {"a length with a blank inside", post("Content-Length: 5 5\r\n"), malformed},
        {"a length in other digits", post("Content-Length: \xd9\xa5\r\n"), malformed},
        {"a length beyond the cap", post("Content-Length: 1001\r\n"), ProblemKind::too_large},
        {"a length that overflows", post("Content-Length: 99999999999999999999999\r\n"), ProblemKind::too_large},
        {"a length spelled with an underscore", post("Content_Length: 5\r\nContent-Length: 7\r\n"), malformed},
        {"a GET with a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", malformed},
        {"no Host", "GET / HTTP/1.1\r\n\r\n", malformed},
        {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", malformed},
        {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", malformed},
        {"a list of Hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", malformed},
        {"a Host with credentials", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", malformed},
        {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", malformed},
        {"a bare LF at the end of a line", "GET / HTTP/1.1\nHost: a\r\n\r\n", malformed},
        {"bare LFs throughout", "GET / HTTP/1.1\nHost: a\n\n", malformed},
        {"a bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", malformed},
        {"CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", malformed},
        {"a NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n"s, malformed},
        {"a NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, malformed},
        {"a control byte in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", malformed},
        {"DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", malformed},
        {"no colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", malformed},
        {"no name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", malformed},
        {"a name with a blank", "GET / HTTP/1.1\r\nHost: a\r\nX Y: x\r\n\r\n", malformed},
        {"an absolute target", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", malformed},
        {"an authority as target", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", malformed},
        {"an asterisk as target", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", malformed},
        {"a target with a blank", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", malformed},
        {"a target with a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", malformed},
        {"a target with a raw byte above ASCII", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", malformed},
        {"two blanks in the request line", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", malformed},
        {"a blank at the end of the request line", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", malformed},
        {"a tab in the request line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", malformed},
        {"no version", "GET /\r\nHost: a\r\n\r\n", malformed},
        {"HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", malformed},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", malformed},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n", malformed},
        {"a version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", malformed},
        {"HTTP/1.0 beside the probes", "GET /api/v1/incidents HTTP/1.0\r\nHost: a\r\n\r\n", malformed},
        {"HTTP/1.0 POST", "POST /healthz HTTP/1.0\r\nHost: a\r\nContent-Length: 0\r\n\r\n", malformed},
        {"a probe with a query by HTTP/1.0", "GET /healthz?x HTTP/1.0\r\n\r\n", malformed},
        {"an empty first line", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", malformed},
        {"two credentials", "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n", malformed},
        {"an unknown expectation", post("Content-Length: 5\r\nExpect: 200-ok\r\n"), malformed},
        {"too many fields", post("A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\nF: 1\r\nG: 1\r\nContent-Length: 5\r\n"), ProblemKind::header_too_large},
        {"a head beyond the cap", post("Content-Length: 5\r\nX: " + std::string(512, 'x') + "\r\n"), ProblemKind::header_too_large},
        {"no empty line", "GET / HTTP/1.1\r\nHost: a\r\n", malformed},
        {"an empty line before the end", "GET / HTTP/1.1\r\nHost: a\r\n\r\nX: y\r\n\r\n", malformed},
        {"nothing", "", malformed},
        {"only an empty line", "\r\n\r\n", malformed},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        const auto kind = refusal(c.block);
        REQUIRE(kind.has_value());
        CHECK(status_of(*kind) == status_of(c.kind));
    }
}

TEST_CASE("a plain head is let through with its parts") {
    const auto block = post("content-length: 0012\r\nExpect: 100-Continue\r\nConnection: TE, Close\r\n");
    const auto verdict = judge(block);
    REQUIRE(std::holds_alternative<RequestHead>(verdict));
    const auto& head = std::get<RequestHead>(verdict);
    CHECK(head.method == Method::post);
    CHECK(head.target == "/api/v1/signals");
    CHECK(head.body_bytes == 12);
    CHECK(head.expects_continue);
    CHECK(head.closes);
}

TEST_CASE("limits of the head are inclusive") {
    CHECK_FALSE(refusal(post("Content-Length: 1000\r\n")).has_value());
    CHECK_FALSE(refusal(post("A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\nF: 1\r\nContent-Length: 5\r\n")).has_value());
    const auto base = post("Content-Length: 5\r\nX: \r\n").size();
    CHECK_FALSE(refusal(post("Content-Length: 5\r\nX: " + std::string(512 - base, 'x') + "\r\n")).has_value());
    CHECK(refusal(post("Content-Length: 5\r\nX: " + std::string(513 - base, 'x') + "\r\n")).has_value());
}

TEST_CASE("probes may speak HTTP/1.0, without a Host, and are closed after") {
    const auto verdict = judge("GET /healthz HTTP/1.0\r\n\r\n");
    REQUIRE(std::holds_alternative<RequestHead>(verdict));
    CHECK(std::get<RequestHead>(verdict).closes);
}

TEST_CASE("an unknown method is no framing fault") {
    const auto verdict = judge("BREW /pot HTTP/1.1\r\nHost: a:8080\r\nContent-Length: 0\r\n\r\n");
    REQUIRE(std::holds_alternative<RequestHead>(verdict));
    CHECK(std::get<RequestHead>(verdict).method == Method::other);
}
