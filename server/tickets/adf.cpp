#include "server/tickets/adf.hpp"

#include "server/tickets/json_client.hpp"

#include <nlohmann/json.hpp>

namespace catenary::server::tickets {

using Json = nlohmann::json;

namespace {

constexpr int most_depth = 16;

Json node(const char* type) { return {{"type", type}, {"content", Json::array()}}; }
Json text_node(std::string_view text) { return {{"type", "text"}, {"text", text}}; }

Json paragraph_of(std::string_view line) {
    auto paragraph = node("paragraph");
    paragraph["content"].push_back(text_node(line));
    return paragraph;
}

void append_text(const Json& value, int depth, std::string& text) {
    if (depth > most_depth) return;
    text += text_at(value, "text");
    const auto type = text_at(value, "type");
    if (type == "hardBreak") text += '\n';
    for (const auto& child : member(value, "content")) append_text(child, depth + 1, text);
    if (type == "paragraph") text += '\n';
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
    std::string text;
    append_text(document, 0, text);
    return text;
}

}  // namespace catenary::server::tickets
