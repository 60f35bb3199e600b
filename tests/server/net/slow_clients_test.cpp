#include "tests/server/net/served_fakes.hpp"
#include "tests/support/environment.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

// Clients that take their time, or do nothing at all: they lose their connection, and nobody else notices them.

using namespace catenary::tests;
using namespace std::chrono_literals;
using catenary::server::net::HttpLimits;

namespace {

using Clock = std::chrono::steady_clock;

/// Sends byte after byte, each long before any deadline, until the server says something; how long that took.
Clock::duration drip(RawClient& client, std::string_view endless) {
    const auto began = Clock::now();
    for (std::size_t i = 0; Clock::now() - began < 10s; ++i) {
        if (client.hears_within(5ms) || !client.send(endless.substr(i % endless.size(), 1))) break;
    }
    return Clock::now() - began;
}

/// A good client's whole life: connected, answered, gone.
Clock::duration time_of_a_good_client(const ServedFakes& fakes) {
    const auto began = Clock::now();
    RawClient client{fakes.where()};
    client.send(request("POST", "/api/v1/patterns", "reader", "a document"));
    CHECK(client.read_reply().body == "a document");
    return Clock::now() - began;
}

HttpLimits one_connection_for_a_large_reply(std::chrono::milliseconds write) {
    HttpLimits limits;
    limits.write = write;
    limits.slowest_bytes_per_second = 1'000'000'000;
    limits.connections = 1;
    limits.document_bytes = 64 * 1024 * 1024;
    limits.batch_bytes = 64 * 1024 * 1024;
    return limits;
}

/// Its reply is larger than both kernels' buffers together, so that writing has to wait for the reader.
std::string request_for_a_large_reply() { return request("POST", "/api/v1/patterns", "reader", std::string(32 * 1024 * 1024, 'x')); }

/// Whether the server's only connection can be had within ten seconds; `meanwhile` runs before each try.
bool becomes_free(const ServedFakes& fakes, const std::function<void()>& meanwhile) {
    const auto give_up = Clock::now() + 10s;
    while (Clock::now() < give_up) {
        meanwhile();
        RawClient next{fakes.where()};
        next.send(request("GET", "/healthz", ""));
        if (next.read_reply().status == 200) return true;
    }
    return false;
}

/// Of this process, in bytes.
std::size_t resident_memory() {
    std::ifstream file{"/proc/self/statm"};
    std::size_t pages = 0;
    std::size_t resident = 0;
    file >> pages >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Room for both ends of so many connections in this process.
void allow_open_files(std::uint64_t count) {
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, count);
    limit.rlim_max = std::max(limit.rlim_max, limit.rlim_cur);  // beyond the old one only for root
    REQUIRE_MESSAGE(::setrlimit(RLIMIT_NOFILE, &limit) == 0, "the process may not have " << count << " files open (ulimit -n)");
}

}  // namespace

TEST_CASE("a head that comes in drops has no more time than any other") {
    HttpLimits limits;
    limits.header = 200ms;
    ServedFakes fakes{limits};
    RawClient client{fakes.where()};
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\nX: ");
    const auto took = drip(client, "x");
    CHECK(took >= 150ms);
    CHECK(took < 5s);
    CHECK(client.read_reply().status == 408);
    CHECK(client.ends());
}

TEST_CASE("a body that comes in drops has no more time than any other") {
    HttpLimits limits;
    limits.body = 200ms;
    ServedFakes fakes{limits};
    RawClient client{fakes.where()};
    client.send("POST /api/v1/patterns HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer reader\r\nContent-Length: 60000\r\n\r\n");
    const auto took = drip(client, "x");
    CHECK(took >= 150ms);
    CHECK(took < 5s);
    CHECK(client.read_reply().status == 408);
    CHECK(client.ends());
}

TEST_CASE("a client that does not read its reply is dropped, and its connection is free again") {
    ServedFakes fakes{one_connection_for_a_large_reply(50ms)};
    RawClient client{fakes.where()};
    REQUIRE(client.send(request_for_a_large_reply()));
    CHECK(becomes_free(fakes, [] {}));
}

TEST_CASE("a client that reads its reply in drops is dropped, and its connection is free again") {
    ServedFakes fakes{one_connection_for_a_large_reply(100ms)};
    RawClient client{fakes.where()};
    REQUIRE(client.send(request_for_a_large_reply()));
    CHECK(becomes_free(fakes, [&] { client.swallow(512); }));
}

TEST_CASE("a client that sends request after request and reads no reply is not read for ever") {
    HttpLimits limits;
    limits.write = 300ms;
    ServedFakes fakes{limits};
    RawClient client{fakes.where()};
    std::string requests;
    while (requests.size() < 64 * 1024) requests += request("GET", "/healthz", "");
    constexpr std::size_t most = 256 * 1024 * 1024;  // many times what the kernel keeps for a connection
    const auto before = resident_memory();
    std::size_t sent = 0;
    while (sent < most && client.send_within(requests, 100ms)) sent += requests.size();
    CHECK(sent < most);
    CHECK(time_of_a_good_client(fakes) < 2s);
    CHECK(resident_memory() < before + 64 * 1024 * 1024);
}

TEST_CASE("bodies that do not come take nobody's place: refused ones, those without a key, and those with one") {
    HttpLimits limits;
    limits.requests = 4;
    limits.in_flight_bytes = 1024 * 1024;
    limits.keyless_bytes = 64 * 1024;
    limits.skipped_bytes = 256 * 1024;
    ServedFakes fakes{limits};
    const auto never = [](std::string_view path, std::string_view header, int bytes) {
        return fmt::format("POST {} HTTP/1.1\r\nHost: a\r\n{}Content-Length: {}\r\n\r\nx", path, header, bytes);
    };
    std::vector<std::unique_ptr<RawClient>> silent;
    const auto open = [&](const std::string& text) {
        silent.push_back(std::make_unique<RawClient>(fakes.where()));
        silent.back()->send(text);
    };
    for (int i = 0; i < 20; ++i) {
        open(never("/api/v1/patterns", "", 60'000));
        open(never("/nowhere", "", 60'000));
        open(never("/api/v1/hooks", "", 60'000));
        open(never("/api/v1/patterns", "Authorization: Bearer reader\r\n", 1'000));
    }
    // The server has taken all of them in: those that found no room have their answer.
    int answered = 0;
    for (const auto& client : silent) answered += client->hears_within(20ms) ? 1 : 0;
    CHECK(answered >= 20 + 19 + 16 - 4);
    for (int i = 0; i < 5; ++i) CHECK(time_of_a_good_client(fakes) < 2s);
}

TEST_CASE("bodies of one tenant leave room for those of others, however slowly they come") {
    HttpLimits limits;
    limits.in_flight_bytes = 100'000;
    limits.batch_bytes = 50'000;
    ServedFakes fakes{limits};
    std::vector<std::unique_ptr<RawClient>> slow;
    for (int i = 0; i < 4; ++i) {
        slow.push_back(std::make_unique<RawClient>(fakes.where()));
        slow.back()->send("POST /api/v1/patterns HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer reader\r\nContent-Length: 20000\r\nExpect: 100-continue\r\n\r\n");
        CHECK(slow.back()->read_reply().status == (i < 2 ? 100 : 503));
    }
    RawClient other{fakes.where()};
    other.send(request("POST", "/api/v1/patterns", "other", std::string(30'000, 'x')));
    CHECK(other.read_reply().status == 200);
    CHECK(fakes.server().refused(catenary::engine::TenantId{7}).busy == 2);
    CHECK(fakes.server().refused(catenary::engine::TenantId{8}).busy == 0);
    CHECK(fakes.server().usage_text().find("catenary_busy_refused_total 2\n") != std::string::npos);
}

TEST_CASE("a body that is coming when the server stops is still read and answered") {
    ServedFakes fakes;
    RawClient client{fakes.where()};
    client.send("POST /api/v1/patterns HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer reader\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
    REQUIRE(client.read_reply().status == 100);
    auto stopping = std::async(std::launch::async, [&] { return fakes.server().drain(30s); });
    CHECK(stopping.wait_for(100ms) == std::future_status::timeout);
    client.send("a document");
    CHECK(client.read_reply().body == "a document");
    CHECK(stopping.get());
}

TEST_CASE("replies that nobody reads take a bounded room; small ones are sent meanwhile, and large ones again afterwards") {
    auto limits = one_connection_for_a_large_reply(5s);  // longer than all that is refused meanwhile takes, with sanitizers as well
    limits.connections = 10;
    limits.in_flight_bytes = 48 * 1024 * 1024;
    ServedFakes fakes{limits};
    RawClient silent{fakes.where()};
    silent.send(request("GET", "/api/v1/large", "reader"));
    REQUIRE(silent.hears_within(10s));
    RawClient second{fakes.where()};
    second.send(request("GET", "/api/v1/large", "reader"));
    const auto refused = second.read_reply();
    CHECK(refused.status == 503);
    CHECK(refused.fields.contains("retry-after"));
    RawClient other{fakes.where()};
    other.send(request("POST", "/api/v1/patterns", "other", std::string(10 * 1024 * 1024, 'x')));
    CHECK(other.read_reply().status == 200);
    second.send(request("POST", "/api/v1/patterns", "reader", std::string(20 * 1024 * 1024, 'x')));  // what it did would be unknown
    CHECK(second.ends());
    CHECK(time_of_a_good_client(fakes) < 2s);
    const auto give_up = Clock::now() + 20s;
    auto status = 0;
    while (status != 200 && Clock::now() < give_up) {
        RawClient next{fakes.where()};
        next.send(request("GET", "/api/v1/large", "reader"));
        status = next.read_reply().status;
    }
    CHECK(status == 200);
}

TEST_CASE("many idle connections cost little, and nobody waits for them") {
    const auto count = static_cast<std::size_t>(environment_number("TEST_IDLE_CONNECTIONS", 1, 100'000, 1'000));
    allow_open_files(2 * count + 200);
    HttpLimits limits;
    limits.connections = static_cast<std::int64_t>(count) + 100;
    limits.header = 10min;  // none of them has to go before the end
    ServedFakes fakes{limits};
    time_of_a_good_client(fakes);  // what is made once is made now
    const auto before = resident_memory();
    std::vector<std::unique_ptr<RawClient>> idle;
    for (std::size_t i = 0; i < count; ++i) {
        idle.push_back(std::make_unique<RawClient>(fakes.where()));
        if (i % 3 == 0) continue;  // says nothing at all
        if (i % 3 == 1) {
            idle.back()->send("POST /api/v1/signals HTTP/1.1\r\nHost: a\r\nX-Half: ");
        } else {
            idle.back()->send(request("GET", "/healthz", ""));
            REQUIRE(idle.back()->read_reply().status == 200);
        }
    }
    Clock::duration slowest{};
    for (int i = 0; i < 50; ++i) slowest = std::max(slowest, time_of_a_good_client(fakes));
    CHECK(slowest < 2s);
    const auto grown = resident_memory() - std::min(before, resident_memory());
    MESSAGE(count << " idle connections: " << grown / count << " bytes each, slowest good client "
                  << std::chrono::duration_cast<std::chrono::microseconds>(slowest).count() << " us");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // these keep what was freed, or a shadow of it
    CHECK(grown / count < 32 * 1024);
#endif
    for (std::size_t i = 2; i < count; i += 3) idle[i]->send(request("GET", "/healthz", ""));  // they are still welcome
    for (std::size_t i = 2; i < count; i += 3) REQUIRE(idle[i]->read_reply().status == 200);
}
