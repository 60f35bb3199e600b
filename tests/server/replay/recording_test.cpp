#include "server/replay/recording.hpp"

#include "api/json/time_json.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <stdlib.h>

using namespace catenary;
using server::MergedRecordings;
using server::Recording;
using server::RecordingFault;

namespace {

/// Files of one case, gone with it.
class Folder {
public:
    Folder() {
        std::string name = "/tmp/catenary-recording-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string plain(const std::string& name, const std::string& text) const {
        std::ofstream{path_ / name} << text;
        return (path_ / name).string();
    }
    std::string packed(const std::string& name, const std::string& text) const {
        const auto file = (path_ / name).string();
        auto* stream = gzopen(file.c_str(), "wb");
        REQUIRE(stream != nullptr);
        REQUIRE(gzwrite(stream, text.data(), static_cast<unsigned>(text.size())) == static_cast<int>(text.size()));
        gzclose(stream);
        return file;
    }

private:
    std::filesystem::path path_;
};

std::string signal(const std::string& id, int minute) { return fmt::format(R"({{"id":"{}","time":"2026-03-05T10:{:02}:00Z"}})", id, minute); }

std::vector<std::string> lines_of(MergedRecordings recordings) {
    std::vector<std::string> lines;
    while (auto next = recordings.next()) lines.push_back(next->line);
    return lines;
}

std::string fault_of(const std::string& file) {
    try {
        Recording recording{file};
        while (recording.next()) {
        }
    } catch (const RecordingFault& fault) {
        return fault.what;
    }
    return "none";
}

}  // namespace

TEST_CASE("plain and packed recordings merge by time, the first file first on a tie") {
    const Folder folder;
    const auto first = folder.plain("a.ndjson", signal("a1", 1) + "\n\n" + signal("a2", 5) + "\r\n" + signal("a3", 9));
    const auto second = folder.packed("b.ndjson.gz", signal("b1", 0) + "\n" + signal("b2", 5) + "\n" + signal("b3", 30) + "\n");
    const auto empty = folder.plain("c.ndjson", "\n");
    CHECK(lines_of(MergedRecordings{{first, second, empty}}) ==
          std::vector<std::string>{signal("b1", 0), signal("a1", 1), signal("a2", 5), signal("b2", 5), signal("a3", 9), signal("b3", 30)});
    CHECK(lines_of(MergedRecordings{{second, first}})[2] == signal("b2", 5));
}

TEST_CASE("the time is the signal's own, wherever it stands in the line") {
    const Folder folder;
    const auto file = folder.plain("a.ndjson", R"({"attributes":{"time":"1999-01-01T00:00:00Z"},"list":[{"time":"x"}],"time":"2026-03-05T11:30:00+01:00"})");
    Recording recording{file};
    const auto next = recording.next();
    REQUIRE(next.has_value());
    CHECK(next->time == api::json::parse_time("2026-03-05T10:30:00Z"));
    CHECK_FALSE(recording.next().has_value());
}

TEST_CASE("lines longer than any buffer stay whole") {
    const Folder folder;
    const auto line = R"({"time":"2026-03-05T10:00:00Z","x":")" + std::string(60'000, 'x') + "\"}";
    CHECK(lines_of(MergedRecordings{{folder.packed("a.ndjson.gz", line + "\n" + line + "\n")}}) == std::vector<std::string>{line, line});
}

TEST_CASE("how much has been read grows to the whole") {
    const Folder folder;
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += signal(std::to_string(i), i % 60) + "\n";
    MergedRecordings recordings{{folder.plain("a.ndjson", text)}};
    CHECK(recordings.share_read() < 0.5);
    while (recordings.next()) {
    }
    CHECK(recordings.share_read() == doctest::Approx(1.0));
}

TEST_CASE("what cannot be read is named with file and line") {
    const Folder folder;
    CHECK(fault_of("/nowhere/a.ndjson").find("/nowhere/a.ndjson") != std::string::npos);
    for (const auto* bad : {"{", "[]", "{}", "x", R"({"time":1})", R"({"time":"yesterday"})", R"({"time":"2026-03-05T10:00:00Z"} x)"}) {
        CAPTURE(bad);
        const auto file = folder.plain("bad.ndjson", signal("a", 1) + "\n\n" + bad + "\n");
        CHECK(fault_of(file).find("bad.ndjson:3:") != std::string::npos);
    }
    CHECK(fault_of(folder.plain("nul.ndjson", std::string{"\0{\n", 3})).find("nul.ndjson") != std::string::npos);
    const auto whole = folder.packed("cut.ndjson.gz", std::string(4'000, '\n') + signal("a", 1) + "\n" + signal("b", 2) + "\n");
    std::filesystem::resize_file(whole, std::filesystem::file_size(whole) - 12);
    CHECK(fault_of(whole) != "none");
}
