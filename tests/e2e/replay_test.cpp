#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <zlib.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

using catenary::tests::catenary_program;
using catenary::tests::ChildProcess;
using catenary::tests::ServerProcess;
using catenary::tests::TemporaryFolder;
using catenary::tests::wait_until_correlated;
using Json = nlohmann::json;
using namespace std::chrono_literals;

namespace {

std::string signal(int number, double confidence) {
    return Json{{"id", fmt::format("r-{}", number)},
                {"source", "recorder"},
                {"time", fmt::format("2026-03-05T{:02}:{:02}:00Z", number / 60, number % 60)},
                {"domain", "endpoint"},
                {"name", "process_created"},
                {"confidence", confidence},
                {"entities", {{{"kind", "host"}, {"value", fmt::format("ws-{}", number % 7)}}}}}
        .dump();
}

struct Outcome {
    int code;
    std::string said;
};

Outcome replay(const ServerProcess& server, const TemporaryFolder& folder, const std::vector<std::string>& arguments) {
    std::vector<std::string> command{catenary_program(), "replay", "--url", server.url(), "--data-dir", server.data_folder().string()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    ChildProcess process{command, folder.path() / "replay.log"};
    const auto code = process.wait(120s);
    return {code, process.output()};
}

}  // namespace

TEST_CASE("recordings are replayed in one order, once however often, and what is refused is said") {
    ServerProcess server;
    server.start();
    TemporaryFolder folder;
    const auto plain = (folder.path() / "even.ndjson").string();
    const auto packed = (folder.path() / "odd.ndjson.gz").string();
    {
        std::ofstream even{plain};
        auto* odd = gzopen(packed.c_str(), "wb");
        for (int number = 0; number < 1'200; ++number) {
            const auto line = signal(number, 0.1) + "\n";
            if (number % 2 == 0) {
                even << line;
            } else {
                gzwrite(odd, line.data(), static_cast<unsigned>(line.size()));
            }
        }
        gzclose(odd);
    }
    const auto first = replay(server, folder, {"--batch", "500", "--advance-watermark", plain, packed});
    CAPTURE(first.said);
    CHECK(first.code == 0);
    CHECK(first.said.find("1200 accepted, 0 already there, 0 late") != std::string::npos);
    const auto again = replay(server, folder, {plain, packed});
    CAPTURE(again.said);
    CHECK(again.code == 0);
    CHECK(again.said.find("0 accepted, 1200 already there") != std::string::npos);

    const auto bad = (folder.path() / "bad.ndjson").string();
    {
        std::ofstream out{bad};
        out << signal(0, 0.9) << "\n" << signal(5'000, 0.1) << "\n";  // other content under a known id, then an hour that is none
    }
    CHECK(replay(server, folder, {bad}).code == 2);
    {
        std::ofstream out{bad};
        out << signal(0, 0.9) << "\n" << signal(1'300, 2) << "\n" << signal(1'301, 0.1) << "\n";
    }
    const auto refused = replay(server, folder, {bad});
    CAPTURE(refused.said);
    CHECK(refused.code == 1);
    CHECK(refused.said.find("/confidence") != std::string::npos);
    CHECK(refused.said.find("1 accepted, 0 already there") != std::string::npos);

    auto admin = server.admin();
    wait_until_correlated(admin);
    const auto diagnostics = Json::parse(admin.get("/api/v1/diagnostics").body);
    CHECK(diagnostics["watermark"].get<std::string>() >= "2026-03-07");
    CHECK(server.stop() == 0);
}
