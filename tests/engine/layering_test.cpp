#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

// What keeps the layers apart is that their sources cannot name what lies outside.

namespace {

namespace fs = std::filesystem;

struct Source {
    std::string path;  ///< relative to the root of the project
    std::vector<std::string> lines;
};

std::vector<Source> sources_below(const char* folder) {
    const fs::path root{CATENARY_SOURCE_DIR};
    std::vector<Source> sources;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
        const auto extension = entry.path().extension();
        if (extension != ".hpp" && extension != ".cpp") continue;
        Source source{fs::relative(entry.path(), root).string(), {}};
        std::ifstream file{entry.path()};
        for (std::string line; std::getline(file, line);) source.lines.push_back(line);
        sources.push_back(std::move(source));
    }
    return sources;
}

bool is_include_of(std::string_view line, std::string_view header) {
    const auto hash = line.find_first_not_of(" \t");
    if (hash == std::string_view::npos || line[hash] != '#' || line.find("include") == std::string_view::npos) return false;
    const auto opening = line.find_first_of("<\"");
    return opening != std::string_view::npos && line.substr(opening + 1).starts_with(header);
}

std::vector<std::string> breaches(const std::vector<Source>& sources, std::initializer_list<std::string_view> headers,
                                  std::initializer_list<std::string_view> words) {
    std::vector<std::string> found;
    for (const auto& source : sources) {
        for (std::size_t number = 0; number < source.lines.size(); ++number) {
            const std::string_view line = source.lines[number];
            bool is_breach = false;
            for (const auto header : headers) is_breach = is_breach || is_include_of(line, header);
            for (const auto word : words) is_breach = is_breach || line.find(word) != std::string_view::npos;
            if (is_breach) found.push_back(source.path + ":" + std::to_string(number + 1) + ": " + std::string(line));
        }
    }
    return found;
}

}  // namespace

TEST_CASE("the engine knows no JSON, SQL, network, thread, file or clock, and nobody above it") {
    const auto sources = sources_below("engine");
    REQUIRE(sources.size() > 20);
    const auto found = breaches(sources, {"nlohmann/", "simdjson", "yaml-cpp/",    "pqxx/",    "libpq-fe.h",  "boost/asio",    "boost/beast",
                                          "spdlog/",   "curl/",    "sys/socket.h", "thread>",  "mutex>",      "shared_mutex>", "condition_variable>",
                                          "atomic>",   "future>",  "iostream>",    "fstream>", "filesystem>", "random>",       "locale>",
                                          "api/",      "server/",  "tests/"},
                                {"system_clock", "steady_clock", "high_resolution_clock", "std::random_device", "setlocale"});
    for (const auto& breach : found) FAIL_CHECK(breach);
    CHECK(found.empty());
}

TEST_CASE("the contract knows no server") {
    const auto found = breaches(sources_below("api"), {"pqxx/", "libpq-fe.h", "boost/asio", "boost/beast", "curl/", "thread>", "server/", "tests/"},
                                {"system_clock", "steady_clock"});
    for (const auto& breach : found) FAIL_CHECK(breach);
    CHECK(found.empty());
}

TEST_CASE("graphs are built in one folder only") {
    for (const auto* folder : {"engine", "api", "server"}) {
        for (const auto& breach : breaches(sources_below(folder), {"boost/graph"}, {})) {
            if (!breach.starts_with("engine/graph/")) FAIL_CHECK(breach);
        }
    }
    CHECK(!breaches(sources_below("engine/graph"), {"boost/graph"}, {}).empty());
}

TEST_CASE("the check of the layers sees a breach") {
    const std::vector<Source> sources{
        {"x.cpp", {"#include <thread>", "  # include \"server/x.hpp\"", "// thread> server/", "auto t = std::chrono::system_clock::now();", "sys_time<x> y;"}}};
    CHECK(breaches(sources, {"thread>", "server/"}, {"system_clock"}).size() == 3);
}
