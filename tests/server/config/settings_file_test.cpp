#include "server/config/settings_file.hpp"

#include "server/config/command_line.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <variant>

using namespace catenary::server::config;
using catenary::tests::TemporaryFolder;

namespace {

/// The one fault of a file.
std::string fault(std::string_view text) {
    const auto file = parse_settings(text, "c.toml");
    REQUIRE(file.faults.size() == 1);
    return file.faults.front();
}

std::string written(const TemporaryFolder& folder, std::string_view text) {
    const auto path = folder.path() / "catenary.toml";
    std::ofstream{path} << text;
    return path.string();
}

Settings accepted(const std::vector<std::string>& arguments, const Environment& environment = {}) {
    const auto read = read_command_line(arguments, environment);
    if (const auto* message = std::get_if<Message>(&read)) FAIL(message->text);
    return std::get<Invocation>(read).settings;
}

}  // namespace

TEST_CASE("every setting of the table may stand in the file under its flag's name") {
    for (const auto& setting : setting_table()) {
        if (setting.flag == config_flag) continue;
        CAPTURE(setting.flag);
        const auto key = file_key(setting.flag);
        const auto* value = setting.kind == Setting::Kind::number ? "5" : setting.kind == Setting::Kind::mark ? "true" : "\"text\"";
        const auto file = parse_settings("# settings\n" + key + " = " + value + "\n", "c.toml");
        CHECK(file.faults.empty());
        REQUIRE(file.values.contains(key));
        CHECK(file.values.at(key).where == "c.toml:2");
    }
}

TEST_CASE("faults of the file say where and what would be right") {
    CHECK(fault("io_threads = 2\nio_thread = 3\n") == "c.toml:2: unknown setting \"io_thread\"; did you mean \"io_threads\"?");
    CHECK(fault("\nio_threads = \"2\"").starts_with("c.toml:2: io_threads is a whole number"));
    CHECK(fault("io_threads = 2.0").starts_with("c.toml:1: io_threads is a whole number"));
    CHECK(fault("listen = 8080").starts_with("c.toml:1: listen is a string"));
    CHECK(fault("advance_watermark = \"yes\"").starts_with("c.toml:1: advance_watermark is true or false"));
    CHECK(fault("[http]\nio_threads = 2").starts_with("c.toml:1: unknown setting \"http\""));
    CHECK(fault("config = \"other.toml\"").starts_with("c.toml:1: unknown setting \"config\""));
    CHECK(fault("io_threads = 2\nio_threads = 3").starts_with("c.toml:2: "));
    CHECK(fault("io_threads =").starts_with("c.toml:1: "));
    CHECK(parse_settings("a = 1\nb = 2\nio_threads = \"x\"", "c.toml").faults.size() == 3);
}

TEST_CASE("a flag wins over the environment, the environment over the file, the file over the default") {
    const TemporaryFolder folder;
    const auto path = written(folder, "io_threads = 3\nworker_threads = 4\nstop_grace = 5\nlisten = \"[::1]:0\"\n");
    const auto settings = accepted({"serve", "--config", path, "--io-threads", "6"}, {{"CATENARY_IO_THREADS", "7"}, {"CATENARY_WORKER_THREADS", "8"}});
    CHECK(settings.io_threads == 6);
    CHECK(settings.worker_threads == 8);
    CHECK(settings.stop_grace == std::chrono::seconds{5});
    CHECK(settings.host == "::1");
    CHECK(settings.http.connections == 10'000);
    CHECK(accepted({"serve"}, {{"CATENARY_CONFIG", path}}).io_threads == 3);
}

TEST_CASE("values of the file are checked like flags, and all faults are shown at once") {
    const TemporaryFolder folder;
    const auto path = written(folder, "io_threads = 65\nlisten = \"8080\"\nnonsense = 1\n");
    const auto read = read_command_line({"serve", "--config", path, "--log-level", "loud"}, {});
    REQUIRE(std::holds_alternative<Message>(read));
    const auto& text = std::get<Message>(read).text;
    for (const auto& part : {path + ":1: --io-threads", path + ":2: --listen", path + ":3: unknown setting \"nonsense\"", std::string{"--log-level"}}) {
        CAPTURE(part);
        CHECK(text.find(part) != std::string::npos);
    }
}

TEST_CASE("a file may serve several commands, each taking what is its own") {
    const TemporaryFolder folder;
    const auto path = written(folder, "io_threads = 3\nbatch = 10\n");
    CHECK(accepted({"replay", "a.ndjson", "--config", path}).replay.batch == 10);
    CHECK(accepted({"serve", "--config", path}).io_threads == 3);
}

TEST_CASE("a file that cannot be read stops the start") {
    const auto read = read_command_line({"serve", "--config", "/nowhere/catenary.toml"}, {});
    REQUIRE(std::holds_alternative<Message>(read));
    CHECK(std::get<Message>(read).text.find("/nowhere/catenary.toml: cannot be read: No such file") != std::string::npos);
}
