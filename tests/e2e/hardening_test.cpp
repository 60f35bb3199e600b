#include "tests/support/server_process.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

using catenary::tests::ChildProcess;
using catenary::tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

struct Looked {
    int code;
    std::string said;
};

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    REQUIRE_MESSAGE(value != nullptr, name);
    return value;
}

std::string content(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    REQUIRE_MESSAGE(file.good(), path.string());
    return {std::istreambuf_iterator<char>{file}, {}};
}

Looked look(const fs::path& program) {
    const TemporaryFolder folder;
    ChildProcess process{{(fs::path{environment("CATENARY_SOURCE")} / "tests" / "hardening").string(), program.string()}, folder.path() / "said"};
    const int code = process.wait(std::chrono::seconds{30});
    return {code, process.output()};
}

}  // namespace

TEST_CASE("the flags of what is shipped harden a program, and what lacks them is found out") {
    const auto hardened = look(fs::path{CATENARY_PROBES} / "hardened_probe");
    CHECK(hardened.said.empty());
    CHECK(hardened.code == 0);
    const auto bare = look(fs::path{CATENARY_PROBES} / "bare_probe");
    CHECK(bare.code == 1);
    for (const auto* flag : {"-pie", "-z relro", "-z now", "-z noexecstack", "-fstack-protector-strong", "-D_FORTIFY_SOURCE"}) {
        CAPTURE(bare.said);
        CHECK_MESSAGE(bare.said.find(flag) != std::string::npos, flag);
    }
    CHECK(look(fs::path{CATENARY_PROBES} / "no_such_probe").code == 1);
}

TEST_CASE("every source of a release is compiled, and the program linked, with those flags") {
    const auto source = environment("CATENARY_SOURCE");
    const TemporaryFolder folder;
    ChildProcess cmake{{"cmake", "-S", source, "-B", (folder.path() / "build").string(), "-G", "Ninja", "--preset", "release"}, folder.path() / "said"};
    REQUIRE_MESSAGE(cmake.wait(std::chrono::seconds{120}) == 0, cmake.output());
    std::size_t commands = 0;
    for (const auto& entry : nlohmann::json::parse(content(folder.path() / "build" / "compile_commands.json"))) {
        const auto command = entry["command"].get<std::string>();
        CAPTURE(command);
        for (const auto* flag : {"-O2", "-D_FORTIFY_SOURCE=2", "-D_GLIBCXX_ASSERTIONS", "-fstack-protector-strong", "-fstack-clash-protection",
                                 "-ftrivial-auto-var-init=zero", "-fPIE"}) {
            CHECK_MESSAGE(command.find(flag) != std::string::npos, flag);
        }
        ++commands;
    }
    CHECK(commands > 100);
    const auto ninja = content(folder.path() / "build" / "build.ninja");
    const auto link = ninja.substr(ninja.find("CXX_EXECUTABLE_LINKER__catenary_"));
    CHECK(link.substr(0, link.find("\n\n")).find("-Wl,-z,relro,-z,now,-z,noexecstack -pie") != std::string::npos);
}
