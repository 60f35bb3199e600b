#include "server/tickets/note_cursor.hpp"
#include "api/json/time_json.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

// How far the notes of a ticket were taken, where ids do not grow with time.

using catenary::server::tickets::NoteCursor;
using catenary::server::tickets::TimedNote;

namespace {

TimedNote note(const std::string& id, int second, const std::string& text = "x") {
    return {{id, "mika", text, false}, *catenary::api::json::parse_time(fmt::format("2026-03-05T10:{:02}:{:02}Z", second / 60, second % 60))};
}

/// The texts of what is taken behind a cursor, which moves on.
std::string take(std::string& cursor, const std::vector<TimedNote>& notes) {
    std::string texts;
    for (const auto& one : NoteCursor{cursor}.rest_of(notes)) {
        texts += (texts.empty() ? "" : " ") + one.text;
        cursor = one.id;
    }
    return texts;
}

}  // namespace

TEST_CASE("notes are taken once, oldest first, and one that shows late is taken when it does") {
    std::string cursor;
    const std::vector<TimedNote> all{note("b", 10, "first"), note("a", 20, "second"), note("c", 20, "third")};
    CHECK(take(cursor, {all[2], all[0], all[1], all[0]}) == "first second third");
    CHECK(take(cursor, all).empty());
    CHECK(cursor == "2026-03-05T09:58:20Z b a c");
    auto more = all;
    more.push_back(note("0", 15, "late"));
    more.push_back(note("z", 20, "same second"));
    CHECK(take(cursor, more) == "late same second");
    CHECK(take(cursor, more).empty());
    more.push_back(note("n", 500, "much later"));
    CHECK(take(cursor, more) == "much later");
    CHECK(cursor == "2026-03-05T10:06:20Z n");
    more.push_back(note("o", 100, "too late"));
    CHECK(take(cursor, more).empty());
}

TEST_CASE("a process that ends between two notes goes on with the next one") {
    std::string cursor;
    const std::vector<TimedNote> all{note("3", 1, "a"), note("2", 1, "b"), note("1", 2, "c")};
    const auto rest = NoteCursor{cursor}.rest_of(all);
    REQUIRE(rest.size() == 3);
    cursor = rest[0].id;
    CHECK(rest[0].text == "b");
    CHECK(take(cursor, all) == "a c");
}

TEST_CASE("a cursor stays short, however many notes come at once, and takes none of them twice") {
    std::string cursor;
    std::vector<TimedNote> all;
    for (int i = 0; i < 400; ++i) all.push_back(note(fmt::format("id{:04}", (i * 37) % 400), i / 10));
    CHECK(NoteCursor{cursor}.rest_of(all).size() == 400);
    take(cursor, all);
    CHECK(cursor.size() < 500);
    CHECK(take(cursor, all).empty());
    // More in one second than it names.
    all.clear();
    cursor.clear();
    for (int i = 0; i < 2'000; ++i) all.push_back(note(fmt::format("id{:04}", i), 7));
    take(cursor, all);
    CHECK(cursor.size() < 5'000);
    CHECK(take(cursor, all).empty());
}

TEST_CASE("what is no cursor takes everything") {
    for (const auto* odd : {"", " ", "7", "x y z"}) {
        CAPTURE(odd);
        std::string cursor{odd};
        CHECK(take(cursor, {note("a", 1, "one")}) == "one");
    }
}
