#include "server/catalogue/pattern_files.hpp"

#include "api/catalogue/examples.hpp"
#include "api/documents/document.hpp"
#include "api/documents/yaml_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <istream>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>

namespace catenary::server {
namespace {

using api::documents::DocumentLimits;
using api::documents::Syntax;
using api::documents::YamlLines;

namespace fs = std::filesystem;

constexpr std::string_view standard_input = "-";

/// A little more than a document may have, so that one that is too long is refused by the reader, in its words.
std::optional<std::string> text_of(std::istream& stream) {
    if (!stream) return std::nullopt;
    std::string text(DocumentLimits{}.bytes + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad() || (stream.fail() && !stream.eof())) return std::nullopt;
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return text;
}

std::optional<std::string> text_of(const std::string& path, std::istream& input) {
    if (path == standard_input) return text_of(input);
    std::ifstream file{path, std::ios::binary};
    return text_of(file);
}

/// By the end of a file's name; standard input has none and is JSON where it begins as an object does.
Syntax syntax_of(const std::string& path, std::string_view text) {
    if (path.ends_with(".json")) return Syntax::json;
    if (path != standard_input) return Syntax::yaml;
    const auto first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '{' ? Syntax::json : Syntax::yaml;
}

bool is_document(const fs::path& path) {
    constexpr std::array<std::string_view, 3> endings{".yaml", ".yml", ".json"};
    return std::ranges::find(endings, path.extension().string()) != endings.end();
}

class Run {
public:
    Run(bool runs_stories, std::istream& input) : runs_stories_{runs_stories}, input_{input} {}

    /// A file, the documents below a folder by path, or standard input.
    void path(const std::string& path) {
        std::error_code none;
        if (path == standard_input || !fs::is_directory(path, none)) return file(path);
        std::vector<std::string> found;
        std::error_code failure;
        for (fs::recursive_directory_iterator at{path, failure}, end; !failure && at != end; at.increment(failure)) {
            if (at->is_regular_file(none) && is_document(at->path())) found.push_back(at->path().string());
        }
        if (failure) return unreadable("{}: cannot be read: {}\n", path, failure.message());
        if (found.empty()) return unreadable("{}: holds no .yaml, .yml or .json file\n", path);
        std::ranges::sort(found);
        for (const auto& one : found) file(one);
    }

    PatternFilesReport report() && {
        if (runs_stories_) fmt::format_to(out(), "{} patterns, {} examples, {} failed\n", patterns_, examples_, failures_);
        return std::move(report_);
    }

private:
    void file(const std::string& path) {
        const auto text = text_of(path, input_);
        if (!text) return unreadable("{}: cannot be read\n", path);
        const auto document = api::documents::read_document(*text, syntax_of(path, *text));
        if (!document) return faults(path, nullptr, document.faults);
        const YamlLines lines{*text};
        const auto pattern = api::documents::pattern_from_json(*document);
        if (!pattern) return faults(path, &lines, pattern.faults);
        ++patterns_;
        const auto outcomes = api::catalogue::run_examples(*pattern);
        if (runs_stories_) return stories(path, lines, outcomes);
        bool good = true;
        for (const auto& outcome : outcomes) {
            faults(path, &lines, outcome.faults);
            good = good && outcome.faults.empty();
        }
        if (good) fmt::format_to(out(), "{}: ok: {}\n", path, pattern->pattern.id);
    }

    std::back_insert_iterator<std::string> out() { return std::back_inserter(report_.text); }

    template <class... Values>
    void failed(fmt::format_string<Values...> format, Values&&... values) {
        fmt::format_to(out(), format, std::forward<Values>(values)...);
        report_.exit_code = std::max(report_.exit_code, 1);
    }
    template <class... Values>
    void unreadable(fmt::format_string<Values...> format, Values&&... values) {
        fmt::format_to(out(), format, std::forward<Values>(values)...);
        report_.exit_code = 2;
    }

    /// `lines`: null where the faults say their lines themselves.
    void faults(const std::string& path, const YamlLines* lines, const engine::Faults& found) {
        for (const auto& fault : found) {
            const auto line = lines == nullptr ? 0 : lines->line_of(fault.pointer);
            failed("{}{}: {}: {}\n", path, line == 0 ? std::string{} : fmt::format(":{}", line), fault.pointer.empty() ? "/" : fault.pointer, fault.detail);
        }
    }

    void stories(const std::string& path, const YamlLines& lines, const std::vector<api::catalogue::ExampleOutcome>& outcomes) {
        if (outcomes.empty()) fmt::format_to(out(), "{}: has no examples\n", path);
        for (const auto& outcome : outcomes) {
            ++examples_;
            const auto pointer = fmt::format("/examples/{}/{}", outcome.must_match ? "must_match" : "must_not_match", outcome.index);
            const auto line = lines.line_of(pointer);
            if (outcome.passed) {
                fmt::format_to(out(), "{}:{}: {}: ok\n", path, line, pointer);
                continue;
            }
            ++failures_;
            if (outcome.faults.empty()) failed("{}:{}: {}: FAILED: {}\n", path, line, pointer, outcome.detail);
            else faults(path, &lines, outcome.faults);
        }
    }

    const bool runs_stories_;
    std::istream& input_;
    PatternFilesReport report_;
    std::size_t patterns_ = 0;
    std::size_t examples_ = 0;
    std::size_t failures_ = 0;
};

PatternFilesReport run(const std::vector<std::string>& paths, bool runs_stories, std::istream& input) {
    Run run{runs_stories, input};
    for (const auto& path : paths) run.path(path);
    return std::move(run).report();
}

}  // namespace

PatternFilesReport check_pattern_files(const std::vector<std::string>& paths, std::istream& input) { return run(paths, false, input); }
PatternFilesReport test_pattern_files(const std::vector<std::string>& paths, std::istream& input) { return run(paths, true, input); }

}  // namespace catenary::server
