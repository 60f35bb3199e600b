#include "server/pg/private_cluster.hpp"

#include "server/pg/child_process.hpp"
#include "server/pg/cluster_files.hpp"
#include "server/pg/data_folder.hpp"
#include "server/pg/database.hpp"
#include "server/pg/guarded.hpp"
#include "server/pg/postmaster_file.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
namespace pg = server::pg;

namespace {

std::unique_ptr<pg::PrivateCluster> started(const std::filesystem::path& data, pg::Durability durability = pg::Durability::full) {
    auto cluster = pg::PrivateCluster::start({data, durability, {}});
    REQUIRE_MESSAGE(cluster.has_value(), cluster.error().message);
    return *std::move(cluster);
}

std::string ask(pg::PrivateCluster& cluster, const std::string& sql) {
    pqxx::connection connection{cluster.dsn(pg::PrivateCluster::superuser, "postgres").text()};
    return pqxx::nontransaction{connection}.exec(sql)[0][0].c_str();
}

void run(pg::PrivateCluster& cluster, const std::string& sql) {
    pqxx::connection connection{cluster.dsn(pg::PrivateCluster::superuser, "postgres").text()};
    pqxx::nontransaction{connection}.exec(sql);
}

/// Polls: what is awaited happens in another process.
template <class Condition>
bool eventually(Condition&& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (std::chrono::steady_clock::now() < deadline) {
        if (condition()) return true;
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

mode_t mode_of(const std::filesystem::path& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777U : 0;
}

}  // namespace

TEST_CASE("a private cluster is closed to others, flushes its commits and keeps what it was given") {
    TemporaryFolder folder;
    {
        const auto cluster = started(folder.path());
        CHECK(ask(*cluster, "SHOW listen_addresses") == "");
        CHECK(ask(*cluster, "SHOW fsync") == "on");
        CHECK(ask(*cluster, "SHOW synchronous_commit") == "on");
        CHECK(ask(*cluster, "SHOW full_page_writes") == "on");
        CHECK(ask(*cluster, "SHOW data_checksums") == "on");
        CHECK(ask(*cluster, "SHOW server_encoding") == "UTF8");
        CHECK(ask(*cluster, "SHOW wal_compression") == "lz4");
        CHECK(ask(*cluster, "SHOW max_wal_size") == "4GB");
        CHECK(mode_of(folder.path() / "socket") == 0700);
        CHECK(mode_of(folder.path() / "postgres") == 0700);
        run(*cluster, "CREATE TABLE kept AS SELECT 7 AS one");
        cluster->stop();
        CHECK(cluster->postmaster() == 0);
        cluster->stop();
    }
    const auto again = started(folder.path());
    CHECK(ask(*again, "SELECT one FROM kept") == "7");
}

TEST_CASE("a postmaster that is killed is started again, with everything that was committed") {
    TemporaryFolder folder;
    const auto cluster = started(folder.path());
    run(*cluster, "CREATE TABLE kept AS SELECT 7 AS one");
    pqxx::connection busy{cluster->dsn(pg::PrivateCluster::superuser, "postgres").text()};  // a back-end that outlives its postmaster for a moment
    const auto first = cluster->postmaster();
    ::kill(first, SIGKILL);
    REQUIRE(eventually([&] { return cluster->restarts() == 1; }));
    CHECK(cluster->postmaster() != first);
    CHECK(ask(*cluster, "SELECT one FROM kept") == "7");
}

TEST_CASE("a postmaster that an earlier server left running is stopped before the new one starts") {
    TemporaryFolder folder;
    started(folder.path())->stop();
    const auto files = pg::prepare_cluster({folder.path(), pg::Durability::full, {}});
    REQUIRE(files.has_value());
    const int log = pg::open_log(*files);
    const auto orphan =
        pg::spawn({(*files).binaries.folder / "postgres", pg::postmaster_arguments(*files, pg::Durability::full), log, pg::Bond::outlives_us}, (*files).user);
    ::close(log);
    REQUIRE(orphan.has_value());
    const pg::Dsn where{{{"host", (*files).socket.string()}, {"user", "postgres"}, {"dbname", "postgres"}}};
    REQUIRE(eventually([&] { return pg::guarded([&] { pqxx::connection{where.text()}; }).has_value(); }));
    CHECK(pg::is_postmaster_of(*orphan, (*files).cluster));
    {
        pqxx::connection connection{where.text()};
        pqxx::nontransaction{connection}.exec("CREATE TABLE kept AS SELECT 7 AS one");
    }
    const auto cluster = started(folder.path());
    CHECK(cluster->postmaster() != *orphan);
    CHECK_FALSE(pg::is_postmaster_of(*orphan, (*files).cluster));
    ::waitpid(*orphan, nullptr, 0);
    CHECK(ask(*cluster, "SELECT one FROM kept") == "7");
}

TEST_CASE("the number in a stale postmaster.pid is not mistaken for a postmaster") {
    TemporaryFolder folder;
    started(folder.path(), pg::Durability::relaxed)->stop();
    std::ofstream{folder.path() / "postgres" / "postmaster.pid"} << ::getppid() << "\n" << (folder.path() / "postgres").string() << "\n";
    const auto cluster = started(folder.path(), pg::Durability::relaxed);
    CHECK(ask(*cluster, "SELECT 1") == "1");
}

TEST_CASE("an initialisation that was cut off is begun again, and a folder that is none of ours is left alone") {
    TemporaryFolder folder;
    std::filesystem::create_directories(folder.path() / "postgres.new" / "base");
    {
        const auto cluster = started(folder.path(), pg::Durability::relaxed);
        CHECK(ask(*cluster, "SELECT 1") == "1");
    }
    TemporaryFolder other;
    std::filesystem::create_directory(other.path() / "postgres");
    std::ofstream{other.path() / "postgres" / "letters.txt"} << "dear diary";
    const auto refused = pg::PrivateCluster::start({other.path(), pg::Durability::relaxed, {}});
    REQUIRE(refused.has_error());
    CHECK(refused.error().message.find((other.path() / "postgres").string()) != std::string::npos);
    CHECK(std::filesystem::exists(other.path() / "postgres" / "letters.txt"));
}

TEST_CASE("a cluster that cannot start says why") {
    TemporaryFolder folder;
    started(folder.path(), pg::Durability::relaxed)->stop();
    std::filesystem::remove(folder.path() / "postgres" / "global" / "pg_control");
    const auto failed = pg::PrivateCluster::start({folder.path(), pg::Durability::relaxed, {}});
    REQUIRE(failed.has_error());
    CHECK(failed.error().message.find("could not find the database system") != std::string::npos);
}

TEST_CASE("a data folder with a long name gets its socket elsewhere, as closed as ever") {
    TemporaryFolder folder;
    const auto deep = folder.path() / std::string(100, 'd');
    std::filesystem::create_directory(deep);
    const auto cluster = started(deep, pg::Durability::relaxed);
    CHECK(ask(*cluster, "SELECT 1") == "1");
    const auto socket = cluster->dsn("x", "x").parameter("host");
    CHECK(socket.starts_with("/tmp/catenary-"));
    CHECK(mode_of(socket) == 0700);
    cluster->stop();
    std::filesystem::remove_all(socket);
}

TEST_CASE("root is told which folder keeps PostgreSQL out" * doctest::skip(::geteuid() != 0)) {
    TemporaryFolder folder;
    const auto closed = folder.path() / "closed";
    std::filesystem::create_directories(closed / "data");
    ::chmod(closed.c_str(), 0700);
    const auto refused = pg::PrivateCluster::start({closed / "data", pg::Durability::relaxed, {}});
    REQUIRE(refused.has_error());
    CHECK(refused.error().message.find("cannot enter " + closed.string() + ":") != std::string::npos);
}

TEST_CASE("a data folder is one server's at a time") {
    TemporaryFolder folder;
    const auto path = folder.path() / "data";
    {
        const auto first = pg::DataFolder::open(path);
        REQUIRE(first.has_value());
        const auto second = pg::DataFolder::open(path);
        REQUIRE(second.has_error());
        CHECK(second.error().message.find(path.string()) != std::string::npos);
        CHECK(second.error().message.find("process " + std::to_string(::getpid())) != std::string::npos);
    }
    CHECK(pg::DataFolder::open(path).has_value());
}

TEST_CASE("a database opens empty, migrated, and safe to log in to; and again") {
    TemporaryFolder folder;
    for (int start = 0; start < 2; ++start) {
        pg::DatabaseOptions options;
        options.data_dir = folder.path();
        options.durability = pg::Durability::relaxed;
        const auto database = pg::Database::open(options);
        REQUIRE_MESSAGE(database.has_value(), database.error().message);
        for (const auto role : {pg::Role::api, pg::Role::ingest, pg::Role::lane}) {
            pqxx::connection connection{(*database)->dsn(role).c_str()};
            const auto row =
                pqxx::work{connection}.exec1("SELECT current_user, session_user, current_setting('timezone'), current_setting('statement_timeout')");
            CHECK(row[0].c_str() == pg::to_string(role));
            CHECK(std::string{row[1].c_str()} == "catenary");
            CHECK(std::string{row[2].c_str()} == "UTC");
            CHECK(std::string{row[3].c_str()} == (role == pg::Role::api ? "10s" : "0"));
        }
    }
}
