#include "tests/support/postgres_fixture.hpp"

#include "server/auth/api_key.hpp"
#include "server/pg/migrator.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <sys/stat.h>
#include <unistd.h>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace catenary::tests {
namespace {

namespace pg = server::pg;

constexpr const char* template_name = "catenary_template";

struct Cluster {
    TemporaryFolder folder;
    std::unique_ptr<pg::PrivateCluster> cluster;
    Cluster() {
        spdlog::default_logger();  // made before this static, so it is still there when the cluster stops
        auto started = pg::PrivateCluster::start({folder.path(), pg::Durability::relaxed, {}});
        if (!started) throw std::runtime_error(started.error().message);
        cluster = *std::move(started);
        const auto made = pg::create_database(cluster->dsn(pg::PrivateCluster::superuser, "postgres"), template_name);
        if (!made) throw std::runtime_error(made.error().message);
        const auto migrated = pg::migrate(cluster->dsn(pg::PrivateCluster::superuser, template_name));
        if (!migrated) throw std::runtime_error(migrated.error().message);
    }
};

pqxx::connection& plain(std::unique_ptr<pqxx::connection>& connection, const pg::Dsn& dsn) {
    if (!connection || !connection->is_open()) connection = std::make_unique<pqxx::connection>(dsn.text());
    return *connection;
}

std::string make_database() {
    static std::atomic<int> made{0};
    const auto name = fmt::format("test_{}", ++made);
    pqxx::connection connection{test_cluster().dsn(pg::PrivateCluster::superuser, "postgres").text()};
    pqxx::nontransaction{connection}.exec(fmt::format("CREATE DATABASE {} TEMPLATE {} OWNER catenary_owner", name, template_name));
    return name;
}

}  // namespace

pg::PrivateCluster& test_cluster() {
    static Cluster cluster;
    return *cluster.cluster;
}

TestDatabase::TestDatabase() : name_{make_database()}, api_{dsn(pg::Role::api), 4, std::chrono::seconds{10}} {}

TestDatabase::~TestDatabase() {
    superuser_.reset();
    try {
        pqxx::connection connection{test_cluster().dsn(pg::PrivateCluster::superuser, "postgres").text()};
        pqxx::nontransaction{connection}.exec(fmt::format("DROP DATABASE {} WITH (FORCE)", name_));
    } catch (const std::exception&) {  // the cluster goes away with the process anyhow
    }
}

pg::Dsn TestDatabase::login() const { return test_cluster().dsn("catenary", name_); }
pg::Dsn TestDatabase::dsn(pg::Role role) const { return pg::acting_as(login(), role); }
pg::Dsn TestDatabase::superuser() const {
    return test_cluster().dsn(pg::PrivateCluster::superuser, name_).with_setting("timezone", "UTC").with_setting("client_min_messages", "warning");
}

TestTenant TestDatabase::add_tenant(const std::string& name) {
    const auto key = server::auth::make_api_key();
    pqxx::work transaction{plain(superuser_, superuser())};
    transaction.exec("SELECT set_config('app.tenant', (SELECT min(id)::text FROM tenant), true)");
    const auto id =
        transaction
            .exec_params1("SELECT add_tenant($1, $2, decode($3, 'hex'), $4)", name, key.id, key.digest_hex, static_cast<int>(server::auth::every_scope()))[0]
            .as<std::int32_t>();
    const bool first = transaction.exec1("SELECT count(*) = 1 FROM tenant")[0].as<bool>();
    transaction.commit();
    return {{engine::TenantId{id}, name, key.id, server::auth::every_scope(), first, {}}, key.text};
}

void TestDatabase::run(const std::string& sql) {
    pqxx::work transaction{plain(superuser_, superuser())};
    transaction.exec(sql);
    transaction.commit();
}

std::string TestDatabase::ask(const std::string& sql) {
    pqxx::work transaction{plain(superuser_, superuser())};
    return transaction.exec(sql)[0][0].c_str();
}

}  // namespace catenary::tests
