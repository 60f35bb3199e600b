#include "api/documents/members.hpp"
#include "api/documents/suggestion.hpp"
#include "api/sigma/sigma_correlation.hpp"
#include "api/sigma/sigma_words.hpp"
#include "engine/model/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace catenary::api::sigma {

using documents::in_quotes;
using documents::Place;
using engine::FaultCode;
using nlohmann::json;

namespace {

constexpr std::size_t most_title = 256;
constexpr std::size_t most_description = 4096;
constexpr std::size_t most_id = 128;
constexpr std::array<std::string_view, 11> carried{"title",  "id",         "name",           "description", "level",    "tags",
                                                   "author", "references", "falsepositives", "correlation", "detection"};
/// Of the specification, and said by no pattern.
constexpr std::array<std::string_view, 11> left_out{"status",    "date",     "modified", "license", "related", "fields",
                                                    "logsource", "taxonomy", "scope",    "custom",  "action"};
constexpr std::array<std::string_view, 5> levels{"informational", "low", "medium", "high", "critical"};

/// "Many failures, then a success" as many-failures-then-a-success.
std::string slug(std::string_view title) {
    std::string id;
    for (const char c : title) {
        const char lower = engine::ascii_lower(c);
        const bool word = (lower >= 'a' && lower <= 'z') || engine::is_ascii_digit(lower);
        if (word) id += lower;
        else if (!id.empty() && id.back() != '-') id += '-';
    }
    while (!id.empty() && id.back() == '-') id.pop_back();
    return id.substr(0, most_id);
}

/// A list of lines as one: "a, b". Members of another type are left out.
std::string joined(const json& value) {
    if (value.is_string()) return value.get<std::string>();
    std::string text;
    if (!value.is_array()) return text;
    for (const auto& item : value) {
        if (item.is_string()) text += (text.empty() ? "" : ", ") + item.get<std::string>();
    }
    return text;
}

/// Description, and what else people want to read of a rule.
std::string description_of(const json& rule, const Place& place, std::vector<Loss>& losses) {
    struct Row {
        const char* member;
        const char* label;
    };
    std::string text = rule.value("description", json{}).is_string() ? rule["description"].get<std::string>() : std::string{};
    for (const auto& [member, label] :
         {Row{"falsepositives", "False positives"}, Row{"references", "References"}, Row{"author", "Author"}, Row{"id", "Sigma rule"}}) {
        const auto* found = documents::optional_member(rule, member);
        const auto value = found == nullptr ? std::string{} : joined(*found);
        if (value.empty()) continue;
        const auto line = fmt::format("{}{}: {}", text.empty() ? "" : "\n", label, value);
        if (text.size() + line.size() <= most_description) text += line;
        else losses.push_back({place.member(member).pointer(), fmt::format("a description has at most {} bytes", most_description)});
    }
    return text;
}

void add_level(const json& rule, const Place& place, std::vector<Loss>& losses, nlohmann::ordered_json& document) {
    const auto* level = documents::optional_member(rule, "level");
    if (level == nullptr) return;
    const auto at = place.member("level");
    const auto index = documents::read_word(at, *level, levels);
    if (!index) return;
    if (levels[*index] == "critical") losses.push_back({at.pointer(), "the highest severity is \"high\""});
    document["severity"] = std::min<std::size_t>(*index, 3) == 3 ? "high" : std::string{levels[*index]};
}

void add_tags(const json& rule, const Place& place, std::vector<Loss>& losses, nlohmann::ordered_json& document) {
    const auto* tags = documents::optional_member(rule, "tags");
    if (tags == nullptr) return;
    const auto at = place.member("tags");
    if (documents::read_list(at, *tags, 0, 256) == nullptr) return;
    auto tactics = json::array();
    auto techniques = json::array();
    for (std::size_t i = 0; i < tags->size(); ++i) {
        const auto& tag = (*tags)[i];
        const auto id = tag.is_string() ? attack_of_tag(tag.get_ref<const std::string&>()) : std::nullopt;
        if (id) (id->is_tactic ? tactics : techniques).push_back(id->id);
        else losses.push_back({at.item(i).pointer(), "is no tactic or technique of ATT&CK"});
    }
    if (!tactics.empty()) document["tactics"] = tactics;
    if (!techniques.empty()) document["techniques"] = techniques;
}

}  // namespace

bool is_known_member(std::string_view name) { return std::ranges::find(carried, name) != carried.end() || std::ranges::find(left_out, name) != left_out.end(); }

nlohmann::ordered_json head_of(const json& rule, const Place& place, std::vector<Loss>& losses) {
    nlohmann::ordered_json document;
    std::string title;
    if (const auto* found = documents::required(place, rule, "title")) title = documents::read_line(place.member("title"), *found, most_title).value_or("");
    document["id"] = slug(title);
    for (const auto* member : {"name", "id"}) {
        const auto* found = documents::optional_member(rule, member);
        if (found == nullptr) continue;
        const auto id = documents::read_line(place.member(member), *found, most_id);
        if (!id) continue;
        document["id"] = *id;
        break;
    }
    document["title"] = title;
    if (const auto text = description_of(rule, place, losses); !text.empty()) document["description"] = text;
    add_level(rule, place, losses, document);
    add_tags(rule, place, losses, document);
    for (const auto& [name, unused] : rule.items()) {
        if (std::ranges::find(carried, name) != carried.end()) continue;
        losses.push_back({place.member(name).pointer(), "a pattern has no such member"});
    }
    return document;
}

}  // namespace catenary::api::sigma
