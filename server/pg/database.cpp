#include "server/pg/database.hpp"

#include "server/pg/guarded.hpp"
#include "server/pg/migrator.hpp"

#include <fmt/format.h>
#include <pqxx/pqxx>

namespace catenary::server::pg {
namespace {

constexpr std::string_view login_role = "catenary";
constexpr std::string_view database_name = "catenary";

constexpr const char* role_sql = R"(
    SELECT rolname, rolsuper, rolbypassrls, pg_has_role(oid, 'catenary_owner', 'MEMBER'),
           pg_has_role(oid, 'catenary_ingest', 'MEMBER') AND pg_has_role(oid, 'catenary_lane', 'MEMBER') AND pg_has_role(oid, 'catenary_api', 'MEMBER')
    FROM pg_roles WHERE rolname = session_user)";
constexpr const char* roles_exist_sql =
    "SELECT count(*) = 4 FROM pg_roles WHERE rolname IN ('catenary_owner', 'catenary_ingest', 'catenary_lane', 'catenary_api')";

Started<Dsn> private_login(PrivateCluster& cluster) {
    const auto maintenance = cluster.dsn(PrivateCluster::superuser, "postgres");
    if (const auto made = create_database(maintenance, std::string{database_name}); !made) return made.error();
    if (const auto done = migrate(cluster.dsn(PrivateCluster::superuser, database_name)); !done) return done.error();
    return cluster.dsn(login_role, database_name);
}

}  // namespace

std::string_view to_string(Role role) {
    switch (role) {
        case Role::ingest: return "catenary_ingest";
        case Role::lane: return "catenary_lane";
        case Role::api: return "catenary_api";
    }
    return "catenary_api";
}

Dsn acting_as(const Dsn& login, Role role) {
    return login.with_setting("role", to_string(role)).with_setting("timezone", "UTC").with_setting("datestyle", "ISO");
}

Started<bool> check_login(const Dsn& login) {
    const auto checked = guarded([&]() -> StoreResult<std::optional<StartFailure>> {
        pqxx::connection connection{login.text()};
        pqxx::work transaction{connection};
        if (!transaction.exec1(roles_exist_sql)[0].as<bool>()) {
            return std::optional{StartFailure{"the database lacks Catenary's roles: run `catenary migrate --database URL` with a role that may create roles"}};
        }
        const auto row = transaction.exec1(role_sql);
        const std::string name = row[0].c_str();
        const auto refuse = [&](std::string_view why) {
            return std::optional{
                StartFailure{fmt::format("the server does not log in as role {}, {}: use `catenary`, or another role that may only become "
                                         "catenary_ingest, catenary_lane and catenary_api",
                                         name, why)}};
        };
        if (row[1].as<bool>()) return refuse("which is a superuser and would see every tenant");
        if (row[2].as<bool>()) return refuse("which may bypass row-level security");
        if (row[3].as<bool>()) return refuse("which may become catenary_owner, the owner of the tables");
        if (!row[4].as<bool>()) return refuse("which may not become all of the three roles it works as");
        return std::optional<StartFailure>{};
    });
    if (!checked) return StartFailure{fmt::format("cannot log in to the database ({}): {}", login.shown(), checked.error().detail)};
    if (*checked) return **checked;
    return true;
}

Started<std::unique_ptr<Database>> Database::open(DatabaseOptions options) {
    std::unique_ptr<PrivateCluster> cluster;
    std::optional<Dsn> login;
    if (options.url) {
        auto given = Dsn::parse(*options.url);
        if (!given) return given.error();
        login = *std::move(given);
        if (login->parameter("connect_timeout").empty()) login = login->with("connect_timeout", "10");
        if (login->parameter("application_name").empty()) login = login->with("application_name", "catenary");
    } else {
        auto started = PrivateCluster::start({options.data_dir, options.durability, options.progress});
        if (!started) return started.error();
        cluster = *std::move(started);
        auto made = private_login(*cluster);
        if (!made) return made.error();
        login = *std::move(made);
    }
    if (const auto safe = check_login(*login); !safe) return safe.error();
    if (const auto current = check_schema(acting_as(*login, Role::api)); !current) return current.error();
    return std::unique_ptr<Database>{new Database{std::move(cluster), *std::move(login), options}};
}

Database::Database(std::unique_ptr<PrivateCluster> cluster, Dsn login, const DatabaseOptions& options)
    : cluster_{std::move(cluster)},
      login_{std::move(login)},
      statement_timeout_{options.statement_timeout},
      api_{acting_as(login_, Role::api).with_setting("statement_timeout", fmt::format("{}", statement_timeout_.count())), options.api_connections,
           options.patience} {}

Database::~Database() { stop(); }

std::string Database::dsn(Role role) const {
    auto dsn = acting_as(login_, role);
    if (role == Role::api) dsn = dsn.with_setting("statement_timeout", fmt::format("{}", statement_timeout_.count()));
    return dsn.text();
}

void Database::stop() {
    if (cluster_) cluster_->stop();
}

}  // namespace catenary::server::pg
