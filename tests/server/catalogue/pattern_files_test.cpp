#include "server/catalogue/pattern_files.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

using namespace catenary::server;
using catenary::tests::TemporaryFolder;

namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

PatternFilesReport check(const std::vector<std::string>& paths, const std::string& input = "") {
    std::istringstream stream{input};
    return check_pattern_files(paths, stream);
}
PatternFilesReport test(const std::vector<std::string>& paths, const std::string& input = "") {
    std::istringstream stream{input};
    return test_pattern_files(paths, stream);
}

constexpr const char* good_text = R"(id: pair
title: Pair
within: 1h
link: {same: [account]}
stages:
  - {id: one, match: {name: a}}
  - {id: two, match: {name: b}}
examples:
  must_match:
    - - {source: s, id: "1", time: "2026-03-05T10:00:00Z", domain: d, name: a, entities: [{kind: account, value: x}]}
      - {source: s, id: "2", time: "2026-03-05T10:30:00Z", domain: d, name: b, entities: [{kind: account, value: x}]}
)";

class Files {
public:
    std::string write(const std::string& name, const std::string& text) const {
        const auto path = folder_.path() / name;
        std::ofstream{path, std::ios::binary} << text;
        return path.string();
    }

private:
    TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("a pattern file in order is one line, and each of its stories is one more") {
    const Files files;
    const auto path = files.write("pair.yaml", good_text);
    const auto checked = check({path});
    CHECK(checked.exit_code == 0);
    CHECK(checked.text == path + ": ok: pair\n");
    const auto tested = test({path});
    CHECK(tested.exit_code == 0);
    CHECK(tested.text == path + ":10: /examples/must_match/0: ok\n1 patterns, 1 examples, 0 failed\n");
}

TEST_CASE("every fault of a file is said with its line, its pointer and what was meant") {
    const Files files;
    const auto path = files.write("bad.yaml",
                                  "id: x\ntitle: X\nwithin: 1h\nlink:\n  same: [account]\nstages:\n  - id: a\n    match:\n      nmae: y\n  - id: b\n    mach: "
                                  "{name: z}\nseverity: hihg\n");
    for (const auto& report : {check({path}), test({path})}) {
        CHECK(report.exit_code == 1);
        CHECK(report.text.starts_with(path + ":"));
        for (const auto* part : {":9: /stages/0/match/nmae: ", "did you mean \"name\"", ":11: /stages/1/mach: ", "did you mean \"match\"",
                                 ":10: /stages/1/match: ", ":12: /severity: ", "did you mean \"high\""}) {
            CAPTURE(part);
            CHECK_MESSAGE(holds(report.text, part), report.text);
        }
    }
}

TEST_CASE("a JSON file is read by its name, and its faults have lines too") {
    const Files files;
    const auto path = files.write(
        "bad.json",
        "{\n  \"id\": \"x\",\n  \"title\": 7,\n  \"within\": \"1h\",\n  \"stages\": [\n    {\"id\": \"a\", \"match\": {\"name\": \"y\"}}\n  ]\n}\n");
    const auto report = check({path});
    CHECK(report.exit_code == 1);
    CHECK(report.text == path + ":3: /title: must be a string, not a number\n");
}

TEST_CASE("a failed story, a signal that is none, text that is no YAML and a file that is missing each are said; the other files are still read") {
    const Files files;
    std::string text = good_text;
    const auto good = files.write("good.yaml", text);
    text.replace(text.find("10:30:00Z"), 5, "12:30");
    const auto late = files.write("late.yaml", text);
    text.replace(text.find("12:30:00Z"), 5, "25:30");
    const auto refused = files.write("refused.yaml", text);
    const auto broken = files.write("broken.yaml", "id: [x\n");
    const auto missing = files.write("", "") + "missing.yaml";

    const auto report = test({late, refused, broken, missing, good});
    CHECK(report.exit_code == 2);  // one could not be read
    CHECK(test({late, refused, broken, good}).exit_code == 1);
    CHECK(holds(report.text, late + ":10: /examples/must_match/0: FAILED: stage \"two\" came too late by "));
    CHECK(holds(report.text, refused + ":11: /examples/must_match/0/1/time: "));
    CHECK(holds(report.text, broken + ": /: not YAML"));
    CHECK(holds(report.text, missing + ": cannot be read"));
    CHECK(holds(report.text, good + ":10: /examples/must_match/0: ok"));
    CHECK(holds(report.text, "3 patterns, 3 examples, 2 failed"));
    CHECK(check({late}).exit_code == 0);  // a story that fails is no fault of the document
    CHECK(check({refused}).exit_code == 1);
}

TEST_CASE("a folder stands for the documents below it, and - for standard input, in either syntax") {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder.path() / "mail");
    std::ofstream{folder.path() / "b.yaml"} << good_text;
    std::ofstream{folder.path() / "mail" / "a.yml"} << good_text;
    std::ofstream{folder.path() / "README.md"} << "no document";
    const auto report = check({folder.path().string()});
    CHECK(report.exit_code == 0);
    CHECK(report.text == (folder.path() / "b.yaml").string() + ": ok: pair\n" + (folder.path() / "mail" / "a.yml").string() + ": ok: pair\n");
    CHECK(test({"-"}, good_text).text == "-:10: /examples/must_match/0: ok\n1 patterns, 1 examples, 0 failed\n");
    CHECK(check({"-"}, R"( {"id":"x","title":"X","within":"1h","stages":[{"id":"a","match":{"name":"y"}}]})").text == "-: ok: x\n");
    const TemporaryFolder empty;
    const auto nothing = test({empty.path().string()});
    CHECK(nothing.exit_code == 2);
    CHECK(holds(nothing.text, "holds no .yaml, .yml or .json file"));
}
