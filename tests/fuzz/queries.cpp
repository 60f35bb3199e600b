// Request targets, as far as the gate lets them through: what is taken apart is text, put together again means the same, and a reader of parameters leaves none unread.
#include "api/http/query.hpp"
#include "api/http/target.hpp"
#include "api/json/utf8.hpp"
#include "tests/fuzz/invariant.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string>

using namespace catenary;
using api::http::percent_encoded;
using api::http::Target;
using fuzz::require;

namespace {

constexpr std::array<std::string_view, 3> words{"new", "active", "closed"};
constexpr std::array<std::string_view, 10> known{"one", "many", "time", "number", "integer", "flag", "word", "words", "limit", "cursor"};

std::string written(const Target& target) {
    std::string text;
    for (const auto& segment : target.segments) text += "/" + percent_encoded(segment);
    if (text.empty()) text = "/";
    char separator = '?';
    for (const auto& [name, value] : target.query) {
        text += separator + percent_encoded(name) + "=" + percent_encoded(value);
        separator = '&';
    }
    return text;
}

bool is_text(std::string_view text) { return api::json::is_utf8(text) && text.find('\0') == std::string_view::npos; }

/// Every kind of parameter, each by its own name.
void read_query(const Target& target) {
    api::http::Request request;
    request.target = written(target);
    request.segments = target.segments;
    request.query = target.query;
    api::http::QueryReader query{request};
    const auto one = query.one("one");
    require(!one || !one->empty(), "an empty value is none");
    auto many = query.many("many");
    std::ranges::sort(many);
    require(std::ranges::adjacent_find(many) == many.end(), "a value counts once");
    const auto time = query.time("time");
    const auto number = query.number("number", 0, 1);
    require(!number || (*number >= 0 && *number <= 1), "a number is within its range");
    const auto integer = query.integer("integer", -5, 5);
    require(!integer || (*integer >= -5 && *integer <= 5), "a whole number is within its range");
    query.flag("flag");
    const auto word = query.word("word", words);
    require(!word || *word < words.size(), "a word is one of those allowed");
    require(std::ranges::all_of(query.words("words", words), [](std::size_t i) { return i < words.size(); }), "words are of those allowed");
    const auto limit = query.limit();
    require(limit >= 1 && limit <= 500, "a page is limited");
    require(is_text(query.cursor()), "a cursor is text");
    auto rest = query;
    const auto faults = query.finish();
    require(faults.size() <= 20, "faults are limited");
    for (const auto& fault : faults) require(fault.pointer.starts_with('/') && !fault.detail.empty() && is_text(fault.detail), "a fault says where and what");
    const auto refusal = rest.refusal();
    require(refusal.has_value() == !faults.empty(), "what has faults is refused");
    if (refusal) return require(refusal->status == 400 && nlohmann::json::accept(refusal->body), "a refusal is a problem");
    for (const auto& [name, value] : target.query) {
        require(std::ranges::find(known, name) != known.end() && !value.empty(), "no parameter stays unread");
        if (name == "time") require(time.has_value(), "a time that was given was read");
    }
}

void check(const Target& target) {
    require(target.query.size() <= 200, "parameters are limited");
    for (const auto& segment : target.segments) require(is_text(segment), "segments are UTF-8 without NUL");
    for (const auto& [name, value] : target.query) require(is_text(name) && is_text(value), "parameters are UTF-8 without NUL");
    const auto again = api::http::parse_target(written(target));
    require(again.has_value(), "what was written by us can be read");
    require(again->segments == target.segments && again->query == target.query, "it comes back the same");
    read_query(target);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    const auto target = api::http::parse_target(text);
    if (target) check(*target);
    else require(!target.error().detail.empty(), "a refusal says why");
    if (const auto decoded = api::http::percent_decoded(text)) {
        require(is_text(*decoded) && api::http::percent_decoded(percent_encoded(*decoded)) == *decoded, "what is encoded decodes to itself");
    }
    return 0;
}
