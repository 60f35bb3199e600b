#include "server/tickets/secret_box.hpp"

#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <stdexcept>
#include <string>

using namespace catenary;
using server::tickets::SecretBox;
using tests::TemporaryFolder;

TEST_CASE("a secret opens for its connector under its key, and for nobody else") {
    const TemporaryFolder folder;
    const auto file = folder.path() / "connectors.key";
    const SecretBox box{SecretBox::key_in(file)};
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    const auto sealed = box.seal(engine::TenantId{1}, "soc", "secret");
    CHECK(sealed.find("secret") == std::string::npos);
    CHECK(box.seal(engine::TenantId{1}, "soc", "secret") != sealed);
    CHECK(box.open(engine::TenantId{1}, "soc", sealed) == "secret");
    CHECK_FALSE(box.open(engine::TenantId{2}, "soc", sealed).has_value());
    CHECK_FALSE(box.open(engine::TenantId{1}, "other", sealed).has_value());
    auto damaged = sealed;
    damaged.back() = static_cast<char>(damaged.back() ^ 1);
    CHECK_FALSE(box.open(engine::TenantId{1}, "soc", damaged).has_value());
    CHECK_FALSE(box.open(engine::TenantId{1}, "soc", "short").has_value());

    const SecretBox again{SecretBox::key_in(file)};
    CHECK(again.open(engine::TenantId{1}, "soc", sealed) == "secret");
    const SecretBox other{SecretBox::key_in(folder.path() / "other.key")};
    CHECK_FALSE(other.open(engine::TenantId{1}, "soc", sealed).has_value());
}

TEST_CASE("a key file that holds no key stops the start") {
    const TemporaryFolder folder;
    for (const auto* text : {"", "abc", "zz", "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"}) {
        const auto file = folder.path() / "bad.key";
        std::ofstream{file} << text;
        CHECK_THROWS_AS(SecretBox::key_in(file), std::runtime_error);
    }
}
