#include "server/config/command_line.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace catenary::server::config;
using namespace std::chrono_literals;

namespace {

Invocation accepted(const std::vector<std::string>& arguments, const Environment& environment = {}) {
    const auto read = read_command_line(arguments, environment);
    if (const auto* message = std::get_if<Message>(&read)) FAIL(message->text);
    return std::get<Invocation>(read);
}

Message refused(const std::vector<std::string>& arguments, const Environment& environment = {}) {
    const auto read = read_command_line(arguments, environment);
    REQUIRE(std::holds_alternative<Message>(read));
    return std::get<Message>(read);
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("without flags and environment the defaults hold") {
    const auto settings = accepted({"serve"}).settings;
    CHECK(settings.host == "127.0.0.1");
    CHECK(settings.port == 8080);
    CHECK(settings.io_threads == 2);
    CHECK(settings.http.header == 10s);
    CHECK(settings.http.in_flight_bytes == 256 * 1024 * 1024);
    CHECK(settings.http.batch_bytes == catenary::server::net::HttpLimits{}.batch_bytes);
    const catenary::api::ingest::IngestLimits signals;
    CHECK(settings.signals.signals == signals.signals);
    CHECK(settings.signals.signal_bytes == signals.signal_bytes);
    CHECK(settings.signals.entities == signals.entities);
    CHECK(settings.signals.entity_bytes == signals.entity_bytes);
    CHECK(settings.catalogue_documents == 512);
    CHECK(settings.embedded_evidence == 200);
    CHECK_FALSE(settings.database.has_value());
    CHECK_FALSE(settings.data_dir.empty());
}

TEST_CASE("a flag wins over the environment, the environment over the default") {
    const Environment environment{{"CATENARY_IO_THREADS", "3"}, {"CATENARY_WORKER_THREADS", "5"}};
    const auto settings = accepted({"serve", "--io-threads", "4", "--data-dir=/srv/c"}, environment).settings;
    CHECK(settings.io_threads == 4);
    CHECK(settings.worker_threads == 5);
    CHECK(settings.data_dir == "/srv/c");
}

TEST_CASE("how large signals and their requests may be is said by flags") {
    const auto settings =
        accepted({"serve", "--request-bytes", "2", "--request-signals", "10", "--signal-bytes", "3", "--signal-entities", "4", "--entity-bytes", "50"})
            .settings;
    CHECK(settings.http.batch_bytes == 2 * 1024 * 1024);
    CHECK(settings.signals.signals == 10);
    CHECK(settings.signals.signal_bytes == 3 * 1024);
    CHECK(settings.signals.entities == 4);
    CHECK(settings.signals.entity_bytes == 50);
    CHECK(refused({"serve", "--signal-entities", "33"}).exit_code == 2);
}

TEST_CASE("an address names host and port") {
    CHECK(accepted({"serve", "--listen", "[::1]:0"}).settings.host == "::1");
    CHECK(accepted({"serve", "--listen", "localhost:65535"}).settings.port == 65535);
    for (const auto* bad : {"8080", ":8080", "localhost", "localhost:", "localhost:65536", "::1:8080", "localhost:80x", ""}) {
        CAPTURE(bad);
        CHECK(refused({"serve", std::string{"--listen="} + bad}).exit_code == 2);
    }
}

TEST_CASE("numbers stay within their range, inclusive") {
    CHECK(accepted({"serve", "--io-threads", "64"}).settings.io_threads == 64);
    for (const auto* bad : {"0", "65", "-1", "2.5", "two", "99999999999999999999"}) {
        CAPTURE(bad);
        CHECK(holds(refused({"serve", std::string{"--io-threads="} + bad}).text, "1..64"));
    }
}

TEST_CASE("all faults are shown at once") {
    const auto message =
        refused({"serve", "--io-threads", "0", "--log-level", "loud", "--nonsense"}, {{"CATENARY_NONSENSE", "1"}, {"CATENARY_STOP_GRACE", "long"}});
    CHECK(message.exit_code == 2);
    for (const auto* part : {"--io-threads", "--log-level", "--nonsense", "CATENARY_NONSENSE", "CATENARY_STOP_GRACE"}) {
        CAPTURE(part);
        CHECK(holds(message.text, part));
    }
}

TEST_CASE("a setting of another command is unknown to this one") {
    CHECK(holds(refused({"serve", "--batch", "5"}).text, "--batch"));
    CHECK(holds(refused({"replay", "a.ndjson", "--io-threads", "5"}).text, "--io-threads"));
}

TEST_CASE("replay takes files, a batch and marks") {
    const auto replay =
        accepted({"replay", "a.ndjson", "b.ndjson.gz", "--batch", "10", "--end", "now", "--advance-watermark", "--data-dir", "/srv/c"}).settings.replay;
    CHECK(replay.files == std::vector<std::string>{"a.ndjson", "b.ndjson.gz"});
    CHECK(replay.batch == 10);
    CHECK(replay.end == catenary::server::ReplayEnd::now);
    CHECK(replay.advance_watermark);
    CHECK(replay.key_file == "/srv/c/admin.key");
    CHECK(holds(refused({"replay"}).text, "FILE"));
}

TEST_CASE("patterns takes a task and files") {
    using catenary::server::config::PatternFiles;
    const auto test = accepted({"patterns", "test", "a.yaml", "b.json"});
    CHECK(test.command == Command::patterns);
    CHECK(test.settings.patterns.task == PatternFiles::Task::test);
    CHECK(test.settings.patterns.files == std::vector<std::string>{"a.yaml", "b.json"});
    CHECK(accepted({"patterns", "check", "a.yaml"}).settings.patterns.task == PatternFiles::Task::check);
    CHECK(holds(refused({"patterns", "test"}).text, "FILE"));
    CHECK(holds(refused({"patterns", "check", "a.yaml", "--loud"}).text, "--loud"));
    CHECK(refused({"patterns"}).exit_code == 2);
    CHECK(refused({"patterns", "a.yaml"}).exit_code == 2);
}

TEST_CASE("migrate needs a database") {
    CHECK(accepted({"migrate", "--database", "postgresql:///x"}).settings.database == "postgresql:///x");
    CHECK(holds(refused({"migrate"}).text, "--database"));
}

TEST_CASE("help is no fault and names every setting of the command") {
    const auto help = refused({"serve", "--help"});
    CHECK(help.exit_code == 0);
    for (const auto& setting : setting_table()) {
        CAPTURE(setting.flag);
        CHECK(holds(help.text, setting.environment) == ((setting.commands & bit(Command::serve)) != 0));
    }
    CHECK(refused({}).exit_code == 2);
    CHECK(refused({"dance"}).exit_code == 2);
}

TEST_CASE("flags and environment names of the table are unique, and each default passes its own check") {
    std::set<std::string_view> names;
    for (const auto& setting : setting_table()) {
        CAPTURE(setting.flag);
        CHECK(names.insert(setting.flag).second);
        CHECK(names.insert(setting.environment).second);
        Settings settings;
        if (!setting.standard.empty()) CHECK_FALSE(apply(setting, std::string{setting.standard}, settings).has_value());
    }
}
