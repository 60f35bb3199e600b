#include "tests/server/net/served_fakes.hpp"
#include "tests/support/gzip.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <set>
#include <string>
#include <thread>

using namespace catenary::tests;
using namespace std::chrono_literals;
using catenary::api::ingest::CommitOutcome;
using catenary::server::net::HttpLimits;
using Json = nlohmann::json;

namespace {

/// The shape every refusal has; returns its body.
Json problem(const RawReply& reply, int status) {
    CAPTURE(reply.body);
    CHECK(reply.status == status);
    CHECK(reply.fields.at("content-type") == "application/problem+json");
    const auto body = Json::parse(reply.body);
    CHECK(body["status"] == status);
    CHECK(body["request_id"] == reply.fields.at("x-request-id"));
    for (const auto* member : {"type", "title", "detail", "instance"}) CHECK(body.contains(member));
    return body;
}

}  // namespace

TEST_CASE("requests of one connection are answered one after another") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    for (int i = 0; i < 3; ++i) {
        client.send(request("GET", "/api/v1/incidents?q=a%2Fb+c", "reader"));
        const auto reply = client.read_reply();
        CHECK(reply.status == 200);
        CHECK(reply.body == "acme q=a/b c");
        CHECK_FALSE(reply.fields.contains("connection"));
    }
}

TEST_CASE("pipelined requests are answered in order") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    client.send(request("POST", "/api/v1/patterns", "reader", "one") + request("GET", "/healthz", "") + request("POST", "/api/v1/patterns", "reader", "") +
                request("POST", "/api/v1/patterns", "reader", "three"));
    CHECK(client.read_reply().body == "one");
    CHECK(client.read_reply().body == "well");
    CHECK(client.read_reply().body == "");
    CHECK(client.read_reply().body == "three");
}

TEST_CASE("a request that comes byte by byte is the same request") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    for (const char c : request("POST", "/api/v1/patterns", "reader", "slowly")) client.send({&c, 1});
    CHECK(client.read_reply().body == "slowly");
}

TEST_CASE("a large body arrives whole, whatever came with the head") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    std::string body(1024 * 1024, 'x');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
    for (int i = 0; i < 2; ++i) {
        client.send(request("POST", "/api/v1/patterns", "reader", body));
        CHECK(client.read_reply().body == body);
    }
}

TEST_CASE("Connection: close is honoured") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    client.send(request("GET", "/healthz", "", {}, "Connection: close\r\n"));
    const auto reply = client.read_reply();
    CHECK(reply.status == 200);
    CHECK(reply.fields.at("connection") == "close");
    CHECK(client.ends());
}

TEST_CASE("an HTTP/1.0 probe is answered and closed") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    client.send("GET /healthz HTTP/1.0\r\n\r\n");
    CHECK(client.read_reply().body == "well");
    CHECK(client.ends());
}

TEST_CASE("HEAD is GET without the body") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    client.send(request("HEAD", "/healthz", "") + request("GET", "/healthz", ""));
    const auto head = client.read_reply(RawClient::Method::head);
    CHECK(head.status == 200);
    CHECK(head.fields.at("content-length") == "4");
    CHECK(client.read_reply().body == "well");
}

TEST_CASE("refusals before the body are problems, and a short body does not end the connection") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    SUBCASE("an unknown path") {
        client.send(request("POST", "/api/v1/nothing?x=1", "reader", "body"));
        CHECK(problem(client.read_reply(), 404)["instance"] == "/api/v1/nothing?x=1");
    }
    SUBCASE("a path with an escape that is none") {
        client.send(request("GET", "/api/v1/inc%zzidents", "reader"));
        problem(client.read_reply(), 400);
    }
    SUBCASE("a method the path does not take") {
        client.send(request("PUT", "/api/v1/incidents", "reader", "body"));
        const auto reply = client.read_reply();
        problem(reply, 405);
        CHECK(reply.fields.at("allow") == "GET, HEAD");
    }
    SUBCASE("no key") {
        client.send(request("POST", "/api/v1/patterns", "", "body"));
        const auto reply = client.read_reply();
        problem(reply, 401);
        CHECK(reply.fields.contains("www-authenticate"));
    }
    SUBCASE("credentials of another scheme") {
        client.send(request("GET", "/api/v1/incidents", "", {}, "Authorization: Basic cmVhZGVy\r\n"));
        problem(client.read_reply(), 401);
    }
    SUBCASE("an unknown key") {
        client.send(request("POST", "/api/v1/patterns", "stranger", "body"));
        problem(client.read_reply(), 401);
    }
    SUBCASE("a key without the scope") {
        client.send(request("POST", "/api/v1/signals", "reader", "body"));
        CHECK(problem(client.read_reply(), 403)["detail"].get<std::string>().find("signals:write") != std::string::npos);
    }
    SUBCASE("keys that cannot be read now") {
        client.send(request("POST", "/api/v1/patterns", "broken", "body"));
        const auto reply = client.read_reply();
        problem(reply, 503);
        CHECK(reply.fields.contains("retry-after"));
    }
    SUBCASE("a DELETE with a body") {
        client.send(request("DELETE", "/api/v1/counted", "reader", "{\"id\":\"k1\"}"));
        problem(client.read_reply(), 400);
    }
    SUBCASE("a coded body") {
        client.send(request("POST", "/api/v1/signals", "writer", "body", "Content-Encoding: br\r\n"));
        const auto reply = client.read_reply();
        problem(reply, 415);
        CHECK(reply.fields.at("accept-encoding") == "gzip");
    }
    SUBCASE("a coded document") {
        client.send(request("POST", "/api/v1/patterns", "reader", "body", "Content-Encoding: gzip\r\n"));
        problem(client.read_reply(), 415);
    }
    SUBCASE("an idempotency key where nothing is made") {
        client.send(request("GET", "/api/v1/incidents", "reader", {}, "Idempotency-Key: a\r\n"));
        problem(client.read_reply(), 400);
    }
    SUBCASE("an idempotency key with signals") {
        client.send(request("POST", "/api/v1/signals", "writer", "body", "Idempotency-Key: a\r\n"));
        problem(client.read_reply(), 400);
    }
    SUBCASE("an idempotency key that is empty") {
        client.send(request("POST", "/api/v1/counted", "reader", "body", "Idempotency-Key: \r\n"));
        problem(client.read_reply(), 400);
    }
    SUBCASE("an idempotency key that is too long") {
        client.send(request("POST", "/api/v1/counted", "reader", "body", "Idempotency-Key: " + std::string(256, 'a') + "\r\n"));
        problem(client.read_reply(), 400);
    }
    client.send(request("GET", "/healthz", ""));
    CHECK(client.read_reply().body == "well");
}

TEST_CASE("a body beyond its limit is refused unread, and the connection ends") {
    HttpLimits limits;
    limits.document_bytes = 100;
    limits.batch_bytes = 100'000;
    ServedFakes fakes{limits};
    RawClient client{fakes.where()};
    SUBCASE("of any request") { client.send("POST /api/v1/signals HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer writer\r\nContent-Length: 100001\r\n\r\n"); }
    SUBCASE("of a document") { client.send("POST /api/v1/patterns HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer reader\r\nContent-Length: 70000\r\n\r\n"); }
    problem(client.read_reply(), 413);
    CHECK(client.ends());
}

TEST_CASE("a body of exactly the limit is taken") {
    HttpLimits limits;
    limits.document_bytes = 100;
    ServedFakes fakes{limits};
    RawClient client{fakes.where()};
    client.send(request("POST", "/api/v1/patterns", "reader", std::string(100, 'x')));
    CHECK(client.read_reply().status == 200);
    client.send(request("POST", "/api/v1/patterns", "reader", std::string(101, 'x')));
    problem(client.read_reply(), 413);
}

TEST_CASE("a head that the gate refuses ends the connection, and what follows is not read as a request") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    SUBCASE("chunked") {
        client.send("POST /api/v1/signals HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        problem(client.read_reply(), 411);
    }
    SUBCASE("bare line feeds") {
        client.send("GET /healthz HTTP/1.1\nHost: a\n\n");
        problem(client.read_reply(), 400);
    }
    SUBCASE("a TLS handshake") {
        client.send("\x16\x03\x01\x02");
        problem(client.read_reply(), 400);
    }
    SUBCASE("an endless head") {
        client.send("GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + std::string(16 * 1024, 'x'));
        problem(client.read_reply(), 431);
    }
    CHECK(client.ends());
}

TEST_CASE("signals may come as gzip") {
    HttpLimits limits;
    limits.batch_bytes = 100'000;
    ServedFakes fakes{limits};
    RawClient client{fakes.where()};
    const auto post = [&](std::string_view body) { client.send(request("POST", "/api/v1/signals", "writer", body, "Content-Encoding: GZip\r\n")); };
    SUBCASE("whole") {
        post(gzip(std::string(100'000, 'x')));
        CHECK(fakes.sink().complete(CommitOutcome::State::committed) == std::string(100'000, 'x'));
        CHECK(client.read_reply().body == "stored");
    }
    SUBCASE("unpacked beyond the limit") {
        post(gzip(std::string(100'001, 'x')));
        problem(client.read_reply(), 413);
    }
    SUBCASE("cut short") {
        const auto packed = gzip("a signal");
        post(std::string_view{packed}.substr(0, packed.size() - 1));
        problem(client.read_reply(), 400);
    }
    SUBCASE("none at all") {
        post("a signal");
        problem(client.read_reply(), 400);
    }
    client.send(request("GET", "/healthz", ""));
    CHECK(client.read_reply().body == "well");
}

TEST_CASE("metrics need no key and take no parameters") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    client.send(request("GET", "/metrics", ""));
    const auto reply = client.read_reply();
    CHECK(reply.status == 200);
    CHECK(reply.fields.at("content-type").starts_with("text/plain; version=0.0.4"));
    CHECK(reply.body.find("catenary_http_requests_total{kind=\"other\"") != std::string::npos);
    CHECK(reply.body.ends_with("catenary_fake 1\n"));
    client.send(request("GET", "/metrics?name=x", ""));
    CHECK(problem(client.read_reply(), 400)["errors"][0]["pointer"] == "/name");
}

TEST_CASE("a request with an Idempotency-Key has one effect and one reply") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    const auto post = [&](std::string_view key, std::string_view body) {
        client.send(request("POST", "/api/v1/counted", "reader", body, "Idempotency-Key: " + std::string{key} + "\r\n"));
        return client.read_reply();
    };
    CHECK_FALSE(post("a", "body").fields.contains("idempotency-replayed"));
    const auto again = post("a", "body");
    CHECK(again.status == 201);
    CHECK(again.body == "1");
    CHECK(again.fields.at("location") == "/somewhere");
    CHECK(again.fields.at("idempotency-replayed") == "true");
    CHECK(post("b", "body").body == "2");
    problem(post("a", "other"), 422);
    problem(post("c", ""), 422);                // refused by the handler, so
    CHECK(post("c", "corrected").body == "3");  // the key is free
}

TEST_CASE("Expect: 100-continue is answered before the body, and a refusal instead of it") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    SUBCASE("accepted") {
        client.send("POST /api/v1/patterns HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer reader\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
        CHECK(client.read_reply().status == 100);
        client.send("body");
        CHECK(client.read_reply().body == "body");
    }
    SUBCASE("refused") {
        client.send("POST /api/v1/patterns HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
        problem(client.read_reply(), 401);
        CHECK(client.ends());
    }
}

TEST_CASE("every reply has a request id: the client's own if it is one, else a new one") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    const auto id_for = [&](std::string_view fields) {
        client.send(request("GET", "/healthz", "", {}, fields));
        return client.read_reply().fields.at("x-request-id");
    };
    CHECK(id_for("X-Request-Id: trace-1.2_3\r\n") == "trace-1.2_3");
    const std::set<std::string> made{id_for(""), id_for("X-Request-Id: a b\r\n"), id_for("X-Request-Id: " + std::string(65, 'a') + "\r\n")};
    CHECK(made.size() == 3);
    for (const auto& id : made) {
        CHECK(id.size() == 16);
        CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
    }
}

TEST_CASE("a handler that throws is answered 500 without its text") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    client.send(request("GET", "/api/v1/throws", "reader"));
    const auto reply = client.read_reply();
    problem(reply, 500);
    CHECK(reply.body.find("secret detail") == std::string::npos);
}

TEST_CASE("a header value cannot end its line") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    client.send(request("GET", "/api/v1/splits", ""));
    const auto reply = client.read_reply();
    CHECK(reply.status == 200);
    CHECK_FALSE(reply.fields.contains("x-injected"));
}

TEST_CASE("signals are answered after the sink's commit, not before") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    client.send(request("POST", "/api/v1/signals", "writer", "a signal"));
    SUBCASE("committed") {
        CHECK(fakes.sink().complete(CommitOutcome::State::committed) == "a signal");
        CHECK(client.read_reply().body == "stored");
    }
    SUBCASE("not stored") {
        fakes.sink().complete(CommitOutcome::State::overloaded);
        problem(client.read_reply(), 503);
    }
    SUBCASE("nobody knows: closed without a reply") {
        fakes.sink().complete(CommitOutcome::State::unknown);
        CHECK(client.ends());
    }
}

TEST_CASE("a handler that does not know the outcome closes without a reply") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    client.send(request("GET", "/api/v1/unknown-outcome", ""));
    CHECK(client.ends());
}

TEST_CASE("requests that wait for a commit hold no worker") {
    ServedFakes fakes;
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 32; ++i) {  // many more than worker threads
        clients.push_back(std::make_unique<RawClient>(fakes.where()));
        clients.back()->send(request("POST", "/api/v1/signals", "writer", "a signal"));
    }
    RawClient other{fakes.where()};
    other.send(request("GET", "/api/v1/incidents", "reader"));
    CHECK(other.read_reply().status == 200);
    fakes.sink().complete_all();
    for (const auto& client : clients) CHECK(client->read_reply().body == "stored");
}
