#include "server/pg/storage_room.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <limits>

using catenary::server::pg::StorageRoom;
using catenary::tests::TemporaryFolder;

TEST_CASE("too little room is told with what is left and what is kept free") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder.path() / "pg_wal");
    StorageRoom plenty{{.cluster = folder.path(), .least = 1, .enough = 2}};
    CHECK_FALSE(plenty.shortage());
    CHECK(plenty.usage().data_free > 0);
    CHECK(plenty.usage().shortages == 0);

    constexpr auto more_than_there_is = std::numeric_limits<std::uint64_t>::max() / 2;
    StorageRoom none{{.cluster = folder.path(), .least = more_than_there_is, .enough = more_than_there_is}};
    REQUIRE(none.shortage());
    CHECK(none.shortage()->find("are left on the disk of the database") != std::string::npos);
    CHECK(none.shortage()->find(folder.path().string()) == std::string::npos);  // it is shown to strangers
    none.run_once();
    CHECK(none.usage().shortages == 1);
}

TEST_CASE("what cannot be measured is not taken for full") {
    const StorageRoom nowhere{{.cluster = "/nowhere/at/all"}};
    CHECK_FALSE(nowhere.shortage());
}
