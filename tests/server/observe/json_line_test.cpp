#include "server/observe/json_line.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string_view>

using catenary::server::observe::json_line;
using catenary::server::observe::Level;
using Json = nlohmann::json;

namespace {

Json read(std::string_view text) {
    auto line = Json::parse(json_line(Level::warning, text, "2026-03-05T10:00:00.000000Z"));
    CHECK(line["level"] == "warning");
    CHECK(line["time"] == "2026-03-05T10:00:00.000000Z");
    line.erase("level");
    line.erase("time");
    return line;
}

}  // namespace

TEST_CASE("events written as text become JSON members") {
    CHECK(read("event=postgres_died next=restart") == Json{{"event", "postgres_died"}, {"next", "restart"}});
    CHECK(read("event=a detail=\"two words\" code=5") == Json{{"event", "a"}, {"detail", "two words"}, {"code", "5"}});
    CHECK(read("event=a detail=\"\"") == Json{{"event", "a"}, {"detail", ""}});
    CHECK(read("event=a detail=") == Json{{"event", "a"}, {"detail", ""}});
}

TEST_CASE("a quoted value may hold quotes and line ends") {
    CHECK(read("event=a reason=\"relation \"x\" does not exist\nLINE 1\" code=5") ==
          Json{{"event", "a"}, {"reason", "relation \"x\" does not exist\nLINE 1"}, {"code", "5"}});
    CHECK(read("event=a reason=\"never closed") == Json{{"event", "a"}, {"reason", "never closed"}});
}

TEST_CASE("other text, and bytes that are no UTF-8, are one message") {
    CHECK(read("plain text") == Json{{"event", "message"}, {"text", "plain text"}});
    CHECK(read("event=a =b") == Json{{"event", "a =b"}});
    CHECK(read("\xff")["text"] == "\xef\xbf\xbd");
    CHECK(read("") == Json{{"event", "message"}, {"text", ""}});
}
