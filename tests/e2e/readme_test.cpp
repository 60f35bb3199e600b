#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using catenary::tests::catenary_program;
using catenary::tests::ChildProcess;
using catenary::tests::TemporaryFolder;

namespace {

/// A command of a ```console block and what the page says it prints.
struct Step {
    std::string command;
    std::vector<std::string> expected;
};

std::vector<std::string> lines_of(std::istream& in) {
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/// Commands start with "$ " and go on while lines end in a backslash, or until a here-document's EOF.
std::vector<Step> console_steps(const std::filesystem::path& page) {
    std::ifstream in{page};
    std::vector<Step> steps;
    bool inside = false;
    bool continues = false;
    bool document = false;
    for (const auto& line : lines_of(in)) {
        if (line.starts_with("```")) {
            inside = line == "```console";
            continue;
        }
        if (!inside) continue;
        if (continues) {
            steps.back().command += "\n" + line;
            if (document) {
                continues = line != "EOF";
                document = continues;
            } else {
                continues = line.ends_with("\\");
            }
        } else if (line.starts_with("$ ")) {
            steps.push_back({line.substr(2), {}});
            document = line.find("<<'EOF'") != std::string::npos;
            continues = document || line.ends_with("\\");
        } else {
            steps.back().expected.push_back(line);
        }
    }
    return steps;
}

/// "…" stands for any text within a line; alone on a line it stands for any lines.
bool line_matches(std::string_view pattern, std::string_view line) {
    constexpr std::string_view any = "…";
    const auto at = pattern.find(any);
    if (at == std::string_view::npos) return pattern == line;
    if (!line.starts_with(pattern.substr(0, at))) return false;
    const auto rest = pattern.substr(at + any.size());
    for (auto skip = at; skip <= line.size(); ++skip) {
        if (line_matches(rest, line.substr(skip))) return true;
    }
    return false;
}

bool output_matches(const std::vector<std::string>& expected, const std::vector<std::string>& lines, std::size_t i = 0, std::size_t j = 0) {
    if (i == expected.size()) return j == lines.size();
    if (expected[i] == "…") {
        for (auto skip = j; skip <= lines.size(); ++skip) {
            if (output_matches(expected, lines, i + 1, skip)) return true;
        }
        return false;
    }
    return j < lines.size() && line_matches(expected[i], lines[j]) && output_matches(expected, lines, i + 1, j + 1);
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) text.replace(at, what.size(), with);
    return text;
}

constexpr std::string_view mark = "@@@ step ";

}  // namespace

TEST_CASE("the commands of the README's tour print what it says") {
    const std::filesystem::path source = std::getenv("CATENARY_SOURCE");
    const auto steps = console_steps(source / "README.md");
    REQUIRE(steps.size() >= 6);

    TemporaryFolder folder;
    std::filesystem::create_directories(folder.path() / "build/release");
    std::filesystem::create_symlink(catenary_program(), folder.path() / "build/release/catenary");
    constexpr std::string_view port = "18080";  // instead of the page's 8080, which another program may hold
    {
        std::ofstream script{folder.path() / "tour.sh"};
        script << "cd " << folder.path().string() << "\nexport HOME=$PWD\nexec 2>&1\n";
        for (std::size_t i = 0; i < steps.size(); ++i) script << "echo '" << mark << i << "'\n" << replaced(steps[i].command, "8080", port) << "\n";
        script << "echo '" << mark << "end'\nkill %1; wait\n";
    }
    ChildProcess tour{{"bash", "-m", (folder.path() / "tour.sh").string()}, folder.path() / "tour.log"};
    tour.wait(std::chrono::seconds{180});

    std::vector<std::vector<std::string>> outputs;
    std::istringstream said{tour.output()};
    for (const auto& line : lines_of(said)) {
        if (line.starts_with(mark)) {
            outputs.emplace_back();
        } else if (!outputs.empty()) {
            outputs.back().push_back(replaced(line, port, "8080"));
        }
    }
    REQUIRE(outputs.size() == steps.size() + 1);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        std::string printed;
        for (const auto& line : outputs[i]) printed += line + "\n";
        CAPTURE(steps[i].command);
        CAPTURE(printed);
        CHECK(output_matches(steps[i].expected, outputs[i]));
    }
}
