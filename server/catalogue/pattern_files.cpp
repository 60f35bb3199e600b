#include "server/catalogue/pattern_files.hpp"

#include "api/catalogue/examples.hpp"
#include "api/documents/document.hpp"
#include "api/documents/yaml_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

namespace catenary::server {
namespace {

using api::documents::DocumentLimits;
using api::documents::Syntax;
using api::documents::YamlLines;

/// A little more than a document may have, so that one that is too long is refused by the reader, in its words.
std::optional<std::string> text_of(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file) return std::nullopt;
    std::string text(DocumentLimits{}.bytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad() || (file.fail() && !file.eof())) return std::nullopt;
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

class Run {
public:
    explicit Run(bool runs_stories) : runs_stories_{runs_stories} {}

    void file(const std::string& path) {
        const auto text = text_of(path);
        if (!text) return failed("{}: cannot be read\n", path);
        const auto document = api::documents::read_document(*text, path.ends_with(".json") ? Syntax::json : Syntax::yaml);
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

    PatternFilesReport report() && {
        if (runs_stories_) fmt::format_to(out(), "{} patterns, {} examples, {} failed\n", patterns_, examples_, failures_);
        return std::move(report_);
    }

private:
    std::back_insert_iterator<std::string> out() { return std::back_inserter(report_.text); }

    template <class... Values>
    void failed(fmt::format_string<Values...> format, Values&&... values) {
        fmt::format_to(out(), format, std::forward<Values>(values)...);
        report_.exit_code = 1;
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
    PatternFilesReport report_;
    std::size_t patterns_ = 0;
    std::size_t examples_ = 0;
    std::size_t failures_ = 0;
};

PatternFilesReport run(const std::vector<std::string>& files, bool runs_stories) {
    Run run{runs_stories};
    for (const auto& path : files) run.file(path);
    return std::move(run).report();
}

}  // namespace

PatternFilesReport check_pattern_files(const std::vector<std::string>& files) { return run(files, false); }
PatternFilesReport test_pattern_files(const std::vector<std::string>& files) { return run(files, true); }

}  // namespace catenary::server
