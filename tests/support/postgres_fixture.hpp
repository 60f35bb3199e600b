#pragma once

#include "api/ports/caller.hpp"
#include "server/pg/database.hpp"
#include "server/pg/dsn.hpp"
#include "server/pg/pool.hpp"
#include "server/pg/private_cluster.hpp"
#include "tests/support/temporary_folder.hpp"

#include <pqxx/pqxx>

#include <filesystem>
#include <memory>
#include <string>

namespace catenary::tests {

/// A tenant made for a test.
struct TestTenant {
    api::Caller caller;  ///< of its key, which has every scope
    std::string key;     ///< as a client sends it
};

/// An empty, migrated database of a test's own in the test process's cluster, dropped afterwards. The cluster is started once, the way the server
/// does it, and stops with the process; commits in it are not flushed to disk.
class TestDatabase {
public:
    TestDatabase();
    ~TestDatabase();
    TestDatabase(const TestDatabase&) = delete;
    TestDatabase& operator=(const TestDatabase&) = delete;

    /// As the server logs in, acting as `role` (UTC, no statement time-out).
    server::pg::Dsn dsn(server::pg::Role role) const;
    /// As the server logs in, acting as nobody yet.
    server::pg::Dsn login() const;
    /// A superuser, whom row-level security does not stop: to arrange and to inspect.
    server::pg::Dsn superuser() const;
    const std::string& name() const { return name_; }

    /// Connections of Role::api, as stores get them.
    server::pg::Pool& api() { return api_; }
    /// The first one is the operator's.
    TestTenant add_tenant(const std::string& name);
    /// Runs SQL as superuser; for arranging.
    void run(const std::string& sql);
    /// First column of the first row of a query by the superuser, as text.
    std::string ask(const std::string& sql);

private:
    std::string name_;
    server::pg::Pool api_;
    std::unique_ptr<pqxx::connection> superuser_;
};

/// The cluster of this test process.
server::pg::PrivateCluster& test_cluster();

}  // namespace catenary::tests
