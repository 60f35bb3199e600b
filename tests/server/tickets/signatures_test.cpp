#include "server/tickets/signatures.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace catenary::server::tickets;

namespace {

// The specification's own example.
const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string other = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
const std::string id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const std::string body = R"({"test": 2432232314})";
const std::string signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
constexpr std::int64_t at = 1614265330;

bool holds(std::string_view timestamp, std::string_view signatures, std::int64_t now = at, const std::vector<std::string>& secrets = {secret}) {
    return is_signed(secrets, {id, timestamp, signatures}, body, now);
}

}  // namespace

TEST_CASE("the specification's own message is genuine, under either of two secrets and beside other signatures") {
    CHECK(webhook_signature({secret}, id, at, body) == signature);
    CHECK(holds("1614265330", signature));
    CHECK(holds("1614265330", signature, at, {other, secret}));
    CHECK(holds("1614265330", "v1a,AAAA v1,AAAA " + signature + " v2,x"));
    CHECK_FALSE(holds("1614265330", signature, at, {other}));
    CHECK_FALSE(holds("1614265330", signature, at, {}));
}

TEST_CASE("what was changed on its way, or is not of now, is not genuine") {
    CHECK_FALSE(is_signed({secret}, {id, "1614265330", signature}, body + " ", at));
    CHECK_FALSE(is_signed({secret}, {"msg_other", "1614265330", signature}, body, at));
    CHECK_FALSE(holds("1614265331", signature));
    CHECK(holds("1614265330", signature, at + 300));
    CHECK(holds("1614265330", signature, at - 300));
    CHECK_FALSE(holds("1614265330", signature, at + 301));
    CHECK_FALSE(holds("1614265330", signature, at - 301));
}

TEST_CASE("heads of any form are no signatures") {
    const std::string many(1'000'000, ' ');
    for (const std::string signatures :
         {"", " ", "v1", "v1,", "v1,====", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}) {
        CAPTURE(signatures);
        CHECK_FALSE(holds("1614265330", signatures));
    }
    CHECK_FALSE(holds("1614265330", signature + "A"));
    CHECK_FALSE(holds("1614265330", many + signature));  // behind the last that is looked at
    for (const auto* timestamp : {"", "x", "1614265330 ", "+1614265330", "-1", "99999999999999999999", "1614265330.0"}) {
        CAPTURE(timestamp);
        CHECK_FALSE(holds(timestamp, signature));
    }
    CHECK_FALSE(is_signed({secret}, {"", "1614265330", webhook_signature({secret}, "", at, body)}, body, at));
    const std::string long_id(257, 'x');
    CHECK_FALSE(is_signed({secret}, {long_id, "1614265330", webhook_signature({secret}, long_id, at, body)}, body, at));
}

// printf 'Hello, World!' | openssl dgst -sha256 -hmac "It's a Secret to Everybody"
TEST_CASE("a hub's signature is over the bytes of the body alone") {
    const std::vector<std::string> secrets{"another", "It's a Secret to Everybody"};
    const std::string hub = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    CHECK(is_hub_signed(secrets, hub, "Hello, World!"));
    CHECK_FALSE(is_hub_signed({"another"}, hub, "Hello, World!"));
    CHECK_FALSE(is_hub_signed(secrets, hub, "Hello, World"));
    for (const auto& header : {std::string{}, hub.substr(7), "sha1=" + hub.substr(7), hub + "00", hub.substr(0, 69), hub.substr(0, 69) + "zz",
                               "sha256=" + std::string(100'000, 'a')})
        CHECK_FALSE(is_hub_signed(secrets, header, "Hello, World!"));
}
