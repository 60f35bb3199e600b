#include "server/tickets/adf.hpp"

#include "api/json/time_json.hpp"
#include "server/tickets/json_reading.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <initializer_list>

namespace catenary::server::tickets {

using Json = nlohmann::json;

namespace {

constexpr int most_depth = 32;
constexpr std::size_t most_text = 64U << 10U;

Json node(const char* type) { return {{"type", type}, {"content", Json::array()}}; }
Json text_node(std::string_view text) { return {{"type", "text"}, {"text", text}}; }

Json paragraph_of(std::string_view line) {
    auto paragraph = node("paragraph");
    paragraph["content"].push_back(text_node(line));
    return paragraph;
}

bool is_one_of(std::string_view type, std::initializer_list<std::string_view> types) { return std::ranges::find(types, type) != types.end(); }

/// A date is milliseconds since 1970, as text.
std::string date_of(const std::string& timestamp) {
    const auto milliseconds = number_from(timestamp);
    constexpr std::int64_t last = 253'402'300'799'999;  // of the year 9999
    if (milliseconds <= 0 || milliseconds > last) return "";
    return api::json::format_time(engine::Timestamp{std::chrono::milliseconds{milliseconds}}).substr(0, 10);
}

/// What a node without children shows.
std::string shown_by(const Json& node, const std::string& type) {
    const auto& attributes = member(node, "attrs");
    if (type == "text") {
        auto text = text_at(node, "text");
        for (const auto& mark : member(node, "marks")) {
            const auto link = text_at(mark, "type") == "link" ? text_at(member(mark, "attrs"), "href") : std::string{};
            if (!link.empty() && link != text) text += " (" + link + ")";
        }
        return text;
    }
    if (type == "hardBreak") return "\n";
    if (type == "rule") return "---";
    if (type == "date") return date_of(text_at(attributes, "timestamp"));
    if (is_one_of(type, {"mention", "status"})) return text_at(attributes, "text");
    if (type == "emoji") return text_at(attributes, "text").empty() ? text_at(attributes, "shortName") : text_at(attributes, "text");
    if (is_one_of(type, {"inlineCard", "blockCard", "embedCard"})) return text_at(attributes, "url");
    if (is_one_of(type, {"media", "mediaInline"})) return "(attachment)";
    return "";
}

void append_text(const Json& node, int depth, std::string& text) {
    if (depth > most_depth || text.size() > most_text) return;
    const auto type = text_at(node, "type");
    if (is_one_of(type, {"listItem", "taskItem", "decisionItem"})) text += "- ";
    text += shown_by(node, type);
    for (const auto& child : member(node, "content")) append_text(child, depth + 1, text);
    const bool ends_line = is_one_of(type, {"paragraph", "heading", "codeBlock", "listItem", "taskItem", "decisionItem", "rule", "blockCard", "embedCard",
                                            "mediaSingle", "mediaGroup", "tableRow"});
    if (ends_line && !text.empty() && text.back() != '\n') text += '\n';
}

}  // namespace

Json adf_of(std::string_view text) {
    auto document = node("doc");
    document["version"] = 1;
    auto& content = document["content"];
    bool goes_on = false;  // the paragraph that was begun
    while (!text.empty()) {
        const auto end = text.find('\n');
        auto line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        if (line.find_first_not_of(" \t") == std::string_view::npos) {  // a text node is never empty
            goes_on = false;
            continue;
        }
        const bool item = line.starts_with("- ") || line.starts_with("  * ");
        if (item) {
            line.remove_prefix(line.starts_with("- ") ? 2 : 4);
            if (line.empty()) continue;
            if (content.empty() || content.back()["type"] != "bulletList") content.push_back(node("bulletList"));
            auto entry = node("listItem");
            entry["content"].push_back(paragraph_of(line));
            content.back()["content"].push_back(std::move(entry));
            goes_on = false;
        } else if (goes_on) {
            auto& paragraph = content.back()["content"];
            paragraph.push_back({{"type", "hardBreak"}});
            paragraph.push_back(text_node(line));
        } else {
            content.push_back(paragraph_of(line));
            goes_on = true;
        }
    }
    return document;
}

std::string text_of_adf(const Json& document) {
    std::string whole;
    append_text(document, 0, whole);
    auto text = shortened(std::move(whole), most_text);
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

}  // namespace catenary::server::tickets
