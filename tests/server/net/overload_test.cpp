#include "tests/server/net/served_fakes.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <string>

using namespace catenary::tests;
using namespace std::chrono_literals;
using catenary::api::ingest::CommitOutcome;
using catenary::server::net::HttpLimits;

TEST_CASE("one request more than allowed is refused with 503; probes still answer") {
    HttpLimits limits;
    limits.requests = 1;
    ServedFakes fakes{limits};
    RawClient first{fakes.where()};
    first.send(request("GET", "/api/v1/slow", "reader"));
    fakes.turnstile().wait_for_one();
    RawClient second{fakes.where()};
    second.send(request("GET", "/api/v1/incidents", "reader"));
    const auto refused = second.read_reply();
    CHECK(refused.status == 503);
    CHECK(refused.fields.contains("retry-after"));
    second.send(request("GET", "/healthz", ""));
    CHECK(second.read_reply().status == 200);
    fakes.turnstile().open();
    CHECK(first.read_reply().body == "at last");
    second.send(request("GET", "/api/v1/incidents", "reader"));
    CHECK(second.read_reply().status == 200);
}

TEST_CASE("bytes in flight are bounded") {
    HttpLimits limits;
    limits.in_flight_bytes = 150;
    ServedFakes fakes{limits};
    RawClient first{fakes.where()};
    first.send("POST /api/v1/patterns HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer reader\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n");
    REQUIRE(first.read_reply().status == 100);  // its place is taken
    RawClient second{fakes.where()};
    second.send(request("POST", "/api/v1/patterns", "reader", std::string(51, 'x')));
    CHECK(second.read_reply().status == 503);
    CHECK(fakes.server().refused(catenary::engine::TenantId{7}).busy == 1);
    CHECK(fakes.server().refused(catenary::engine::TenantId{8}).busy == 0);
    first.send(std::string(100, 'x'));
    CHECK(first.read_reply().status == 200);
    second.send(request("POST", "/api/v1/patterns", "reader", std::string(51, 'x')));
    CHECK(second.read_reply().status == 200);
}

TEST_CASE("a used up quota is answered 429 with the time to wait, before the body is read; reads go on") {
    HttpLimits limits;
    limits.rates.key_bytes = 10;
    ServedFakes fakes{limits};
    fakes.sink().complete_all();
    RawClient client{fakes.where()};
    client.send(request("POST", "/api/v1/signals", "writer", std::string(150, 'x')));
    CHECK(client.read_reply().status == 200);
    client.send("POST /api/v1/signals HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer writer\r\nContent-Length: 200000\r\nExpect: 100-continue\r\n\r\n");
    const auto refused = client.read_reply();
    CHECK(refused.status == 429);
    CHECK(refused.fields.at("retry-after") == "5");
    CHECK(refused.body.find("the key's quota of 10 bytes a second") != std::string::npos);
    RawClient reader{fakes.where()};
    reader.send(request("GET", "/api/v1/incidents", "reader"));
    CHECK(reader.read_reply().status == 200);
    CHECK(fakes.server().usage_text().find("catenary_quota_refused_total 1\n") != std::string::npos);
    CHECK(fakes.server().refused(catenary::engine::TenantId{7}).by_quota == 1);
}

TEST_CASE("signals that are larger than allowed are counted for their tenant") {
    ServedFakes fakes;
    fakes.sink().complete_all();
    RawClient client{fakes.where()};
    client.send(request("POST", "/api/v1/signals", "writer", "two too long, one fine, one wrong"));
    CHECK(client.read_reply().status == 200);
    CHECK(fakes.server().refused(catenary::engine::TenantId{7}).too_large == 2);
    CHECK(fakes.server().usage_text().find("catenary_too_large_refused_total 2\n") != std::string::npos);
}

TEST_CASE("a quota of signals is charged when the body is read") {
    HttpLimits limits;
    limits.rates.tenant_signals = 1;
    ServedFakes fakes{limits};
    fakes.sink().complete_all();
    RawClient client{fakes.where()};
    int taken = 0;
    int status = 200;
    while (status == 200 && taken < 100) {
        client.send(request("POST", "/api/v1/signals", "writer", "a signal"));
        status = client.read_reply().status;
        taken += status == 200 ? 1 : 0;
    }
    CHECK(status == 429);
    CHECK(taken >= 11);  // ten seconds' worth, and the one that exceeds it
    CHECK(taken < 20);
}

TEST_CASE("signals are refused with 503 and the reason while the server cannot keep up with them; everything else goes on") {
    ServedFakes fakes;
    fakes.stall("correlation is far behind");
    RawClient client{fakes.where()};
    client.send(request("POST", "/api/v1/signals", "writer", "a signal"));
    const auto refused = client.read_reply();
    CHECK(refused.status == 503);
    CHECK(refused.fields.contains("retry-after"));
    CHECK(refused.body.find("correlation is far behind") != std::string::npos);
    client.send(request("POST", "/api/v1/patterns", "reader", "a pattern"));
    CHECK(client.read_reply().status == 200);
}

TEST_CASE("one connection more than allowed is told so and closed") {
    HttpLimits limits;
    limits.connections = 1;
    ServedFakes fakes{limits};
    RawClient first{fakes.where()};
    first.send(request("GET", "/healthz", ""));
    REQUIRE(first.read_reply().status == 200);
    RawClient second{fakes.where()};
    CHECK(second.read_reply().status == 503);
    CHECK(second.ends());
}

TEST_CASE("a head that does not end in time is answered 408 and closed") {
    HttpLimits limits;
    limits.header = 50ms;
    ServedFakes fakes{limits};
    RawClient client{fakes.where()};
    client.send("GET /healthz HTTP/1.1\r\nHost:");
    CHECK(client.read_reply().status == 408);
    CHECK(client.ends());
}

TEST_CASE("a connection that stays silent is closed") {
    HttpLimits limits;
    SUBCASE("from the start") {
        limits.header = 50ms;
        ServedFakes fakes{limits};
        RawClient client{fakes.where()};
        CHECK(client.ends());
    }
    SUBCASE("after a request") {
        limits.idle = 50ms;
        ServedFakes fakes{limits};
        RawClient client{fakes.where()};
        client.send(request("GET", "/healthz", ""));
        CHECK(client.read_reply().status == 200);
        CHECK(client.ends());
    }
}

TEST_CASE("a body that does not end in time is answered 408 and closed") {
    HttpLimits limits;
    limits.body = 50ms;
    ServedFakes fakes{limits};
    RawClient client{fakes.where()};
    client.send("POST /api/v1/patterns HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer reader\r\nContent-Length: 10\r\n\r\nhalf");
    CHECK(client.read_reply().status == 408);
    CHECK(client.ends());
}

TEST_CASE("a client that goes away in the middle of a body leaves nothing behind") {
    HttpLimits limits;
    limits.in_flight_bytes = 100;
    limits.connections = 1;
    ServedFakes fakes{limits};
    {
        RawClient client{fakes.where()};
        client.send("POST /api/v1/patterns HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer reader\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n");
        REQUIRE(client.read_reply().status == 100);
    }
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    int status = 503;
    while (status == 503 && std::chrono::steady_clock::now() < deadline) {  // until the server has seen the end
        RawClient next{fakes.where()};
        next.send(request("POST", "/api/v1/patterns", "reader", std::string(100, 'x')));
        status = next.read_reply().status;
    }
    CHECK(status == 200);
}

TEST_CASE("a graceful stop finishes the request under way and closes the idle connection") {
    ServedFakes fakes;
    RawClient idle{fakes.where()};
    idle.send(request("GET", "/healthz", ""));
    REQUIRE(idle.read_reply().status == 200);
    RawClient busy{fakes.where()};
    busy.send(request("GET", "/api/v1/slow", "reader"));
    fakes.turnstile().wait_for_one();
    RawClient waiting{fakes.where()};
    waiting.send(request("POST", "/api/v1/signals", "writer", "a signal"));
    fakes.sink().wait_for_one();

    auto drained = std::async(std::launch::async, [&] { return fakes.server().drain(10s); });
    CHECK(idle.ends());
    CHECK(drained.wait_for(0s) == std::future_status::timeout);
    fakes.turnstile().open();
    const auto reply = busy.read_reply();
    CHECK(reply.body == "at last");
    CHECK(reply.fields.at("connection") == "close");
    fakes.sink().complete(CommitOutcome::State::committed);
    CHECK(waiting.read_reply().body == "stored");
    CHECK(drained.get());
    CHECK_THROWS(RawClient{fakes.where()});
}

TEST_CASE("a stop without patience leaves a request unanswered, and still ends") {
    ServedFakes fakes;
    RawClient waiting{fakes.where()};
    waiting.send(request("GET", "/api/v1/slow", "reader"));
    fakes.turnstile().wait_for_one();
    CHECK_FALSE(fakes.server().drain(0s));
    CHECK(waiting.ends());
}
