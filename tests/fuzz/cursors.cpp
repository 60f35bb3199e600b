// Cursors: none opens but an untouched one, and that to exactly what was sealed. Input: a position's length, the position, and then pairs of
// (place, bits to flip) done to the sealed cursor; the whole input is tried as a cursor as well.
#include "api/http/cursor.hpp"
#include "tests/fuzz/invariant.hpp"

#include <algorithm>
#include <string>

using namespace catenary;
using api::http::open_cursor;
using fuzz::require;

namespace {

constexpr api::http::CursorKey key{3, 1, 4, 1, 5, 9, 2, 6};

api::http::Request listing(std::string_view filter) {
    api::http::Request request;
    request.segments = {"api", "v1", "incidents"};
    request.query = {{"status", std::string{filter}}, {"limit", "5"}};
    return request;
}

void check_tampered(std::string_view position, std::string_view edits) {
    const auto request = listing(position.substr(0, position.size() / 2));
    const api::Caller caller{};
    const auto sealed = api::http::seal_cursor(key, request, caller, position);
    auto changed = sealed;
    for (std::size_t i = 0; i + 1 < edits.size(); i += 2) {
        auto& letter = changed[static_cast<unsigned char>(edits[i]) % changed.size()];
        letter = static_cast<char>(letter ^ edits[i + 1]);
    }
    if (edits.size() % 2 == 1) changed.resize(static_cast<unsigned char>(edits.back()) % (changed.size() + 1));
    const auto opened = open_cursor(key, request, caller, changed);
    if (changed.empty()) {
        require(opened.has_value() && opened.value().empty(), "no cursor is the first page");
    } else if (changed == sealed && !position.empty()) {
        require(opened.has_value() && opened.value() == position, "an untouched cursor opens to its position");
        require(open_cursor(key, listing("other filter"), caller, sealed).has_error(), "a cursor is bound to its filters");
    } else {
        require(opened.has_error(), "a cursor that was touched does not open");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz::text_of(data, size);
    if (const auto bytes = api::http::from_base64url(input)) require(api::http::base64url(*bytes) == input, "each string has one base64url text");
    require(api::http::from_base64url(api::http::base64url(input)) == input, "base64url is undone");
    if (!input.empty()) require(open_cursor(key, listing("new"), {}, input).has_error(), "nobody guesses a cursor");
    if (input.empty()) return 0;
    const auto length = std::min<std::size_t>(data[0], size - 1);
    check_tampered(input.substr(1, length), input.substr(1 + length));
    return 0;
}
