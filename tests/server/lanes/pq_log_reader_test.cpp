#include "server/lanes/pq_log_reader.hpp"
#include "tests/support/ingest_rig.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using engine::Position;

namespace {

/// Notes what is passed on, and asks to stop after so many batches.
class NotingSink final : public server::LogSink {
public:
    explicit NotingSink(int most_batches = std::numeric_limits<int>::max()) : left_{most_batches} {}

    void signals(std::int16_t, std::span<const server::StoredRow> rows, const server::StoredNames& names) override {
        for (const auto& row : rows) {
            positions.push_back(row.position.value());
            ids.push_back(signal_of(row, names).id);
        }
        --left_;
    }
    void control(std::int16_t, const server::ControlEntry&) override {}
    void reached(Position position) override { last = position; }
    bool stopping() override { return left_ == 0; }

    std::vector<std::int64_t> positions;
    std::vector<std::string> ids;
    Position last{0};

private:
    int left_;
};

/// A log of `requests` times a thousand signals of many sizes in a few days, two of which have most.
class StoredLog {
public:
    explicit StoredLog(int requests, unsigned sizes = 500) : sizes_{sizes}, tenant_{database_.add_tenant("first")}, rig_{database_} {
        rig_.start();
        add(requests);
    }

    void add(int requests) {
        for (int request = 0; request < requests; ++request) {
            std::vector<BatchBuilder::Item> items;
            for (int i = 0; i < 1'000; ++i, ++count_) {
                auto one = item("s" + std::to_string(count_), std::chrono::hours{random_() % 50 == 0 ? random_() % 200 : random_() % 6});
                one.attributes = R"({"note":")" + std::string(random_() % sizes_, 'x') + "\"}";
                one.plain_attributes = true;
                items.push_back(std::move(one));
            }
            REQUIRE(summary(rig_.post(tenant_.caller.tenant, items)) == std::string(1'000, 'a'));
        }
    }

    /// As after a large transaction that was rolled back: the older half of every page chain has room.
    void make_gaps() {
        for (const auto* leaf : {"signal_d20260305", "signal_d20260306"}) {
            connection().run(std::string{"UPDATE "} + leaf + " SET position = position");
            connection().run(std::string{"VACUUM "} + leaf);
        }
    }

    server::PqConnection connection() { return server::PqConnection{database_.superuser().text()}; }
    Position end() { return Position{std::stoll(database_.ask("SELECT next_position FROM log"))}; }
    std::string id_at(std::int64_t position) { return database_.ask("SELECT source_id FROM signal WHERE position = " + std::to_string(position)); }
    /// Of `connection` and those before it.
    std::int64_t rows_looked_at(server::PqConnection& connection) {
        connection.run("SELECT pg_stat_force_next_flush()");
        return std::stoll(database_.ask("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables WHERE relname LIKE 'signal%'"));
    }

private:
    unsigned sizes_;
    TestDatabase database_;
    TestTenant tenant_;
    IngestRig rig_;
    std::mt19937 random_{5};
    int count_ = 0;
};

std::vector<std::int64_t> positions(Position from, Position to) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(to.value() - from.value()));
    std::iota(all.begin(), all.end(), from.value());
    return all;
}

constexpr std::size_t memory = 64U << 20U;

}  // namespace

TEST_CASE("the log is read from anywhere to anywhere, in any order of calls") {
    StoredLog log{20};
    auto connection = log.connection();
    server::PqLogReader reader{connection, memory};
    const auto end = log.end();
    REQUIRE(reader.end() == end);
    const auto check = [&](std::int64_t from, std::int64_t to) {
        CAPTURE(from);
        NotingSink sink;
        reader.read(Position{from}, Position{to}, sink);
        CHECK(sink.positions == positions(Position{from}, Position{to}));
        CHECK(sink.last == Position{to - 1});
        CHECK(sink.ids.front() == log.id_at(from));
        CHECK(sink.ids.back() == log.id_at(to - 1));
    };
    check(1, end.value());
    check(12'001, 13'001);
    check(13'001, 18'001);
    check(1'001, 20'001);
    check(19'001, 20'001);
    log.add(3);
    check(20'001, 23'001);
    log.add(1);
    check(22'001, 24'001);
}

TEST_CASE("reading that was stopped goes on where it was") {
    StoredLog log{10};
    auto connection = log.connection();
    server::PqLogReader reader{connection, memory};
    std::vector<std::int64_t> all;
    for (Position from{1}; from < log.end();) {
        NotingSink sink{3};
        reader.read(from, log.end(), sink);
        all.insert(all.end(), sink.positions.begin(), sink.positions.end());
        REQUIRE(!sink.positions.empty());
        from = Position{sink.last.value() + 1};
    }
    CHECK(all == positions(Position{1}, log.end()));
}

TEST_CASE("rows in gaps of older pages are found without reading everything for each, also with memory for few of them") {
    StoredLog log{8};
    log.make_gaps();
    const auto from = log.end();
    log.add(9);
    // Without rows before older ones there would be nothing to see here.
    auto connection = log.connection();
    const auto early = connection.run("SELECT count(*) FROM signal_d20260305 n JOIN signal_d20260305 o ON n.position >= " + std::to_string(from.value()) +
                                      " AND o.position = 100 AND n.ctid < o.ctid");
    REQUIRE(early.number(0, 0) > 1'000);
    for (const std::size_t bytes : {memory, std::size_t{80'000}}) {
        for (const auto begin : {from, Position{1}}) {
            server::PqLogReader reader{connection, bytes};
            const auto before = log.rows_looked_at(connection);
            NotingSink sink;
            reader.read(begin, log.end(), sink);
            CHECK(sink.positions == positions(begin, log.end()));
            if (bytes == memory) CHECK(log.rows_looked_at(connection) - before <= 4 * 17'000);
        }
    }
}

TEST_CASE("late rows in a leaf that is sealed are found without looking through it") {
    StoredLog log{60, 1};
    auto connection = log.connection();
    connection.run("SELECT seal_leaf('signal_d20260305'), seal_leaf('signal_d20260306')");
    for (const auto* leaf : {"signal_d20260305", "signal_d20260306"}) {
        // Room in the oldest pages, and no more of it than the late rows take.
        connection.run(std::string{"UPDATE "} + leaf + " SET shown = shown WHERE ctid < '(9,0)'");
        connection.run(std::string{"VACUUM ANALYZE "} + leaf);
    }
    const auto from = log.end();
    log.add(1);
    const auto placed = connection.run("SELECT count(*) FROM signal WHERE position >= " + std::to_string(from.value()) + " AND ctid < '(9,0)'");
    REQUIRE(placed.number(0, 0) > 100);
    server::PqLogReader reader{connection, memory};
    const auto before = log.rows_looked_at(connection);
    NotingSink sink;
    reader.read(from, log.end(), sink);
    CHECK(sink.positions == positions(from, log.end()));
    CHECK(log.rows_looked_at(connection) - before < 15'000);
}

TEST_CASE("what lies far behind is read once") {
    StoredLog log{60, 1};  // of one size, so that all lie in order
    auto connection = log.connection();
    const auto looked_at = [&](std::int64_t from, std::int64_t to) {
        server::PqLogReader reader{connection, memory};
        const auto before = log.rows_looked_at(connection);
        NotingSink sink;
        reader.read(Position{from}, Position{to}, sink);
        REQUIRE(static_cast<std::int64_t>(sink.positions.size()) == to - from);
        return log.rows_looked_at(connection) - before;
    };
    const auto most = looked_at(10'001, 60'001);
    CHECK(most >= 50'000);
    CHECK(most <= 60'000 + 15'000);
    CHECK(looked_at(58'001, 60'001) <= 2'000 + 10'000);
    CHECK(looked_at(20'001, 22'001) <= 2'000 + 20'000);
}

TEST_CASE("leaves that are dropped while the log is read are passed over by another try") {
    class DroppingSink final : public server::LogSink {
    public:
        explicit DroppingSink(server::PqConnection connection) : connection_{std::move(connection)} {}
        void signals(std::int16_t, std::span<const server::StoredRow> rows, const server::StoredNames&) override {
            for (const auto& row : rows) days.insert(row.time < story_begin + 2h ? 5 : 6);
        }
        void control(std::int16_t, const server::ControlEntry&) override {}
        void reached(Position position) override {
            if (last.value() == 0) connection_.run("UPDATE retention SET kept_from = '2026-03-06'; DELETE FROM signal WHERE time < '2026-03-06 00:00Z'");
            last = position;
        }
        bool stopping() override { return false; }

        std::set<int> days;
        Position last{0};

    private:
        server::PqConnection connection_;
    };
    StoredLog log{20};
    auto connection = log.connection();
    server::PqLogReader reader{connection, memory};
    DroppingSink sink{log.connection()};
    CHECK_THROWS_AS(reader.read(Position{1}, log.end(), sink), server::PqError);
    CHECK(sink.days == std::set{5, 6});
    sink.days.clear();
    reader.read(Position{sink.last.value() + 1}, log.end(), sink);
    CHECK(sink.last.value() == log.end().value() - 1);
    CHECK(sink.days == std::set{6});
}

TEST_CASE("a row that the log names and that is not there is said") {
    StoredLog log{5};
    auto connection = log.connection();
    connection.run("DELETE FROM signal WHERE position = 2500");
    server::PqLogReader reader{connection, memory};
    NotingSink sink;
    CHECK_THROWS_WITH_AS(reader.read(Position{1}, log.end(), sink), doctest::Contains("the log names"), std::runtime_error);
    CHECK(sink.positions.size() <= 2'000);
}
