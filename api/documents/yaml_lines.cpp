#include "api/documents/yaml_lines.hpp"

#include "api/json/pointer.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <optional>
#include <sstream>
#include <vector>

namespace catenary::api::documents {
namespace {

/// Notes the line at which each member's name or item begins.
class Walk final : public YAML::EventHandler {
public:
    explicit Walk(std::map<std::string, int, std::less<>>& lines) : lines_{lines} {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { value(mark); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { value(mark); }
    void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string& text) override {
        if (levels_.empty() || levels_.back().is_list || levels_.back().name) return value(mark);
        auto& level = levels_.back();
        level.name = text;
        lines_.try_emplace(pointer(), mark.line + 1);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override { open(mark, true); }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override { open(mark, false); }
    void OnMapEnd() override { close(); }

private:
    struct Level {
        bool is_list;
        std::size_t index = 0;            ///< of the item that is open or comes next
        std::optional<std::string> name;  ///< of the member that is open
    };

    std::string pointer() const {
        std::string text;
        for (const auto& level : levels_) json::append_token(text, level.is_list ? std::to_string(level.index) : level.name.value_or(""));
        return text;
    }
    void begin(const YAML::Mark& mark) { lines_.try_emplace(pointer(), mark.line + 1); }
    void end() {
        if (levels_.empty()) return;
        levels_.back().name.reset();
        ++levels_.back().index;
    }
    void value(const YAML::Mark& mark) {
        begin(mark);
        end();
    }
    void open(const YAML::Mark& mark, bool is_list) {
        begin(mark);
        levels_.push_back({is_list, 0, std::nullopt});
    }
    void close() {
        levels_.pop_back();
        end();
    }

    std::map<std::string, int, std::less<>>& lines_;
    std::vector<Level> levels_;
};

}  // namespace

YamlLines::YamlLines(std::string_view text) {
    try {
        std::istringstream stream{std::string{text}};
        YAML::Parser parser{stream};
        Walk walk{lines_};
        parser.HandleNextDocument(walk);
    } catch (const YAML::Exception&) {
        return;  // what is known by then stays
    }
}

int YamlLines::line_of(std::string_view pointer) const {
    for (;;) {
        if (const auto found = lines_.find(pointer); found != lines_.end()) return found->second;
        if (pointer.empty()) return 0;
        pointer = pointer.substr(0, pointer.rfind('/'));
    }
}

}  // namespace catenary::api::documents
