#include "tests/e2e/load.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/server_process.hpp"
#include "tests/support/small_disk.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>

using namespace catenary::tests;
using catenary::server::ApiClient;
using catenary::server::ApiReply;
using catenary::server::ApiUnreachable;
using Json = nlohmann::json;
using namespace std::chrono_literals;

namespace {

/// Counted as skipped where this process may not mount.
const bool cannot_mount = SmallDisk::impossible().has_value();

ApiReply ready(const std::string& url) { return ApiClient{url, ""}.get("/readyz"); }

/// Whether /readyz comes to `status` with `reason` in its text in time.
bool becomes(const std::string& url, int status, std::string_view reason, std::chrono::seconds patience) {
    const auto give_up = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const auto reply = ready(url);
        if (reply.status == status && reply.body.find(reason) != std::string::npos) return true;
        if (std::chrono::steady_clock::now() > give_up) {
            MESSAGE(reply.status << ' ' << reply.body);
            return false;
        }
        std::this_thread::sleep_for(20ms);
    }
}

std::string one_signal(std::string_view id) {
    return Json{{"id", id}, {"source", "afterwards"}, {"time", "2026-03-05T08:00:00Z"}, {"domain", "endpoint"}, {"name", "heartbeat"}}.dump();
}

int times_in(const std::string& text, std::string_view what) {
    int times = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++times;
    return times;
}

struct Loaded {
    Ledger ledger;
    Keyed keyed;
};

/// A server on the database that another one keeps, with an incident to read. For keepers that run.
struct Borrower {
    explicit Borrower(const ServerProcess& keeper)
        : key{keeper.tenant_key("load")}, server{{"--database", keeper.database_url()}}, client{started(server), key} {
        make_incident(client);
    }
    static std::string started(ServerProcess& server) {
        server.start();
        return server.url();
    }
    std::string key;
    ServerProcess server;
    ApiClient client;
    Loaded under = {};
};

/// Under load the disk fills up to what the server keeps free: it refuses with the reason, reads, and goes on by itself when there is room again.
void fill_and_relieve(ServerProcess& server, const SmallDisk& disk, std::string_view whose) {
    const auto key = server.tenant_key("load");
    ApiClient client{server.url(), key};
    make_incident(client);
    Loaded under;
    {
        const Load load{server.url(), key, under.ledger, under.keyed};
        std::this_thread::sleep_for(700ms);
        disk.fill(40);
        REQUIRE(becomes(server.url(), 503, "storage_full", 3s));
        CHECK(ready(server.url()).body.find(whose) != std::string::npos);
        const auto begun = std::chrono::steady_clock::now();
        const auto refused = client.post("/api/v1/signals", one_signal("refused"));
        CHECK(std::chrono::steady_clock::now() - begun < 1s);
        CHECK(refused.status == 503);
        CHECK(refused.retry_after.has_value());
        CHECK(refused.body.find("the database has no room left on its disk") != std::string::npos);
        CHECK(client.get("/api/v1/signals?source=kill_loop&limit=5").status == 200);
        CHECK(client.get("/api/v1/incidents/1").status == 200);
        CHECK(Json::parse(client.get("/api/v1/diagnostics").body)["caps"].at(0)["cap"] == "storage_full");
        CHECK(client.get("/metrics").body.find("\ncatenary_ingest_storage_full 1\n") != std::string::npos);
        std::this_thread::sleep_for(1s);
        CHECK(times_in(server.output(), R"("event":"storage_full")") == 1);  // though dozens of requests were refused
        disk.relieve();
        REQUIRE(becomes(server.url(), 200, "ready", 5s));
        std::this_thread::sleep_for(500ms);
    }
    CHECK(under.ledger.refused > 20);
    CHECK(client.post("/api/v1/signals", one_signal("accepted")).status == 201);
    CHECK(client.get("/metrics").body.find("\ncatenary_ingest_storage_full 0\n") != std::string::npos);
    const auto tally = check_kept(client, under.ledger, under.keyed).tally;
    CHECK(under.ledger.slowest_no < 2s);
    MESSAGE(fmt::format("{} refusals, the slowest in {} ms; {} acknowledged, {} stored, {} sent", under.ledger.refused, under.ledger.slowest_no.count(),
                        tally.acknowledged, tally.stored, tally.sent));
    CHECK(server.stop() == 0);
}

void put_on(const SmallDisk& disk, const std::filesystem::path& folder) {
    const auto there = disk.path() / folder.filename();
    std::filesystem::create_directory_symlink(there, folder);
    std::filesystem::create_directory(there);
}

/// Moves the WAL of a server that does not run into another folder.
void move_wal(const ServerProcess& server, const std::filesystem::path& folder) {
    const auto wal = server.data_folder() / "postgres" / "pg_wal";
    const auto there = folder / "pg_wal";
    REQUIRE(std::system(fmt::format("cp -a '{}' '{}' && rm -r '{}'", wal.string(), there.string(), wal.string()).c_str()) == 0);
    std::filesystem::create_directory_symlink(there, wal);
}

}  // namespace

TEST_CASE("a disk that is nearly full: signals are refused with the reason, reads go on, and it recovers by itself" * doctest::skip(cannot_mount)) {
    SUBCASE("data and WAL on it") {
        const SmallDisk disk{400};
        ServerProcess server;
        put_on(disk, server.data_folder());
        server.start();
        fill_and_relieve(server, disk, "disk of the database");
    }
    SUBCASE("the WAL alone on it") {
        const SmallDisk disk{250};
        ServerProcess server;
        server.start();
        REQUIRE(server.stop() == 0);
        move_wal(server, disk.path());
        server.start();
        fill_and_relieve(server, disk, "disk of the WAL");
    }
}

TEST_CASE("PostgreSQL itself finds its disk full: the cause is named, nothing acknowledged is lost, and it recovers by itself" * doctest::skip(cannot_mount)) {
    const bool wal_alone = environment_number("TEST_WAL_FULL", 0, 1, 0) == 1;
    const SmallDisk disk{wal_alone ? 150U : 400U};
    ServerProcess keeper;  // only its PostgreSQL is used: whose database it is keeps room free
    if (!wal_alone) put_on(disk, keeper.data_folder());
    keeper.start();
    REQUIRE(keeper.stop() == 0);
    move_wal(keeper, wal_alone ? disk.path() : keeper.data_folder().parent_path());  // one of them is full, not whichever comes first
    keeper.start();
    Borrower borrower{keeper};
    auto& [key, server, client, under] = borrower;
    {
        const Load load{server.url(), key, under.ledger, under.keyed};
        std::this_thread::sleep_for(700ms);
        disk.fill(0);
        // A log that cannot be written stops PostgreSQL. Where its own writer comes upon it first no client hears why: then only that it is away can be told.
        CHECK(becomes(server.url(), 503, wal_alone ? "ingest is " : "storage_full: the database has no room left on its disk", 20s));
        std::this_thread::sleep_for(wal_alone ? 5s : 2s);
        disk.relieve();
        REQUIRE(becomes(server.url(), 200, "ready", 60s));
        std::this_thread::sleep_for(500ms);
    }
    CHECK(under.ledger.refused > 0);
    const auto lines = times_in(server.output(), R"("event":"storage_full")");
    CHECK((wal_alone || lines >= 1));
    CHECK(lines <= 6);
    const auto tally = check_kept(client, under.ledger, under.keyed).tally;
    MESSAGE(fmt::format("{} refusals, the slowest in {} ms; {} acknowledged, {} stored, {} sent", under.ledger.refused, under.ledger.slowest_no.count(),
                        tally.acknowledged, tally.stored, tally.sent));
    CHECK(server.stop() == 0);
    CHECK(keeper.stop() == 0);
}

TEST_CASE("PostgreSQL refuses connections for a while: refusals are quick and say why, and it goes on without a restart") {
    const auto away = std::chrono::seconds{environment_number("TEST_POSTGRES_AWAY_SECONDS", 1, 3'600, 5)};
    ServerProcess keeper;
    keeper.start();
    Borrower borrower{keeper};
    auto& [key, server, client, under] = borrower;
    {
        const Load load{server.url(), key, under.ledger, under.keyed};
        std::this_thread::sleep_for(500ms);
        REQUIRE(keeper.stop() == 0);
        const auto until = std::chrono::steady_clock::now() + away;
        CHECK(becomes(server.url(), 503, "ingest is reconnecting", 5s));
        std::this_thread::sleep_until(until);
        CHECK(ready(server.url()).status == 503);
        keeper.start();
        REQUIRE(becomes(server.url(), 200, "ready", 30s));
        std::this_thread::sleep_for(500ms);
    }
    CHECK(under.ledger.refused > 20);
    CHECK(under.ledger.slowest_no < 5s);
    CHECK(times_in(server.output(), R"("event":"committer_disconnected")") <= 2 + away / 60s);
    const auto tally = check_kept(client, under.ledger, under.keyed).tally;
    MESSAGE(fmt::format("away for {} s; {} refusals, the slowest in {} ms, {} ms without an acknowledgement; {} acknowledged, {} stored, {} sent", away.count(),
                        under.ledger.refused, under.ledger.slowest_no.count(), under.ledger.longest_gap.count(), tally.acknowledged, tally.stored, tally.sent));
    CHECK(server.stop() == 0);
    CHECK(keeper.stop() == 0);
}
