#include "server/auth/api_key.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace catenary;
namespace auth = server::auth;

TEST_CASE("a key is made of a public id and 256 random bits, and only their digest is for the database") {
    std::set<std::string> ids, texts;
    for (int i = 0; i < 200; ++i) {
        const auto key = auth::make_api_key();
        const auto parts = auth::parse_api_key(key.text);
        REQUIRE(parts.has_value());
        CHECK(parts->id == key.id);
        CHECK(parts->secret.size() == 64);
        CHECK(server::pg::sha256_hex(parts->secret) == key.digest_hex);
        ids.insert(key.id);
        texts.insert(key.text);
    }
    CHECK(ids.size() == 200);
    CHECK(texts.size() == 200);
}

TEST_CASE("what does not have the form of a key is none") {
    const auto good = auth::make_api_key().text;
    auto upper = good, separator = good, underscore = good, quote = good;
    upper.back() = 'F';
    separator[16] = '-';
    underscore[30] = '_';
    quote[5] = '\'';
    for (const auto& bad : {std::string{}, std::string{"cat_"}, good + "0", good.substr(0, good.size() - 1), "dog" + good.substr(3), upper, separator,
                            underscore, quote, std::string(1'000'000, 'a'), std::string(good.size(), '\0')}) {
        CHECK_FALSE(auth::parse_api_key(bad).has_value());
    }
}

TEST_CASE("SHA-256 is SHA-256") {
    // printf abc | sha256sum
    CHECK(server::pg::sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
