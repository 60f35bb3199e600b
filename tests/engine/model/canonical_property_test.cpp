#include "engine/model/canonical.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

using catenary::engine::canonical;

namespace {

constexpr std::array kinds{"account", "host", "ip", "mailbox", "file", "process", "url", "domain", "app", "cloud_resource", "custom"};

/// Text from pieces that the rules look at, and from any bytes between them.
std::string random_text(std::mt19937& random) {
    static const std::vector<std::string> pieces{"\\",
                                                 "/",
                                                 "@",
                                                 ".",
                                                 ":",
                                                 "[",
                                                 "]",
                                                 "<",
                                                 ">",
                                                 "%",
                                                 "//",
                                                 "\\\\",
                                                 "\\\\?\\",
                                                 "://",
                                                 "http",
                                                 "HTTPS",
                                                 ":443",
                                                 ":80",
                                                 "mailto:",
                                                 "SMTP:",
                                                 "sha256:",
                                                 "MD5:",
                                                 "C:",
                                                 "corp",
                                                 "Alice",
                                                 "nt authority",
                                                 "System",
                                                 "localhost",
                                                 "10.0.0.1",
                                                 "::1",
                                                 "::ffff:",
                                                 "2001:DB8::",
                                                 "fe80::1%eth0",
                                                 "0",
                                                 "255",
                                                 "e3b0c442",
                                                 "/subscriptions/",
                                                 "arn:aws:",
                                                 " ",
                                                 "\t",
                                                 "-",
                                                 "n/a",
                                                 "(",
                                                 ")",
                                                 "dwm-",
                                                 "S-1-5-18",
                                                 "Ü",
                                                 "日本",
                                                 "\xff",
                                                 "\x01",
                                                 ""};
    std::string text;
    for (auto n = random() % 7; n > 0; --n) {
        text += pieces[random() % pieces.size()];
        if (random() % 4 == 0) text += static_cast<char>(random() % 255 + 1);
    }
    return text;
}

std::string mixed_case(std::string text, std::mt19937& random) {
    for (char& letter : text) {
        if (random() % 2 == 0 && letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    }
    return text;
}

}  // namespace

TEST_CASE("property: a canonical spelling is its own canonical spelling, of any text and kind") {
    std::mt19937 random{20260305};
    for (int i = 0; i < 20'000; ++i) {
        const auto text = random_text(random);
        for (const auto* kind : kinds) {
            const auto once = canonical(kind, text);
            CAPTURE(kind);
            CAPTURE(text);
            if (canonical(kind, once.value) != once) FAIL_CHECK("written '", once.value, "' and then '", canonical(kind, once.value).value, "'");
        }
    }
}

TEST_CASE("property: how a name is written does not matter, who it names does") {
    struct Spelled {
        const char* kind;
        /// Ways of writing it around a lower-case name; {} stands for the name.
        std::vector<std::string> ways;
        std::vector<std::string> names;
        bool folds;
    };
    const std::vector<Spelled> table{
        {"host", {"{}", "{}.", "\\\\{}", "\t{}"}, {"ws-1", "ws-10", "ws1", "ws-1.corp.example", "ws-1.corp2.example", "1-ws"}, true},
        {"domain", {"{}", "{}.", " {}"}, {"evil.example", "evil.example.net", "e.vil.example", "xn--evl-8pa.example"}, true},
        {"mailbox",
         {"{}", "<{}>", "Ann <{}>", "mailto:{}", "<smtp:{}>"},
         {"ann@corp.example", "anna@corp.example", "ann@corp2.example", "ann+a@corp.example"},
         true},
        {"app", {"{}", " {}\n"}, {"office 365", "office 36", "office365"}, true},
        {"process", {"{}", " {}"}, {"powershell.exe", "powershell", "pwsh.exe"}, true},
        {"url",
         {"{}", " {} "},
         {"http://a.example/x", "http://a.example/X", "http://a.example/x?y", "https://a.example/x", "http://b.example/x", "http://a.example:8080/x"},
         false},
        {"file", {"{}", " {}"}, {"/tmp/a", "/tmp/A", "/tmp/ab", "/var/a"}, false},
        {"custom", {"{}", " {} "}, {"thing-1", "thing-10", "Thing-1"}, false},
    };
    std::mt19937 random{7};
    for (const auto& entry : table) {
        std::map<std::string, std::string> owner;  // of each canonical spelling: the name
        for (const auto& name : entry.names) {
            std::set<std::string> written;
            for (int i = 0; i < 50; ++i) {
                for (auto way : entry.ways) {
                    way.replace(way.find("{}"), 2, entry.folds ? mixed_case(name, random) : name);
                    written.insert(canonical(entry.kind, way).value);
                }
            }
            CAPTURE(entry.kind);
            CAPTURE(name);
            CHECK(written.size() == 1);
            for (const auto& value : written) CHECK_MESSAGE(owner.emplace(value, name).second, value, " is also ", owner[value]);
        }
    }
}

TEST_CASE("property: an account is one however domain and case are written, and another in every other domain") {
    std::mt19937 random{11};
    std::map<std::string, std::string> owner;
    for (const std::string domain : {"corp", "corp2", "c"}) {
        for (const std::string user : {"alice", "alic", "alice2"}) {
            std::set<std::string> written;
            for (int i = 0; i < 50; ++i) {
                for (const std::string between : {"\\", "/", "\\\\"})
                    written.insert(canonical("account", mixed_case(domain, random) + between + mixed_case(user, random)).value);
            }
            CHECK(written == std::set<std::string>{domain + "\\" + user});
            const auto at = canonical("account", mixed_case(user + "@" + domain + ".example", random) + ".").value;
            CHECK(at == user + "@" + domain + ".example");
            for (const auto& value : {*written.begin(), at, user + "." + domain}) CHECK(owner.emplace(canonical("account", value).value, user).second);
        }
    }
}

TEST_CASE("property: an IPv4 address is one in every form, and no two addresses are the same") {
    std::mt19937 random{13};
    std::map<std::string, std::uint32_t> owner;
    for (int i = 0; i < 5'000; ++i) {
        // Neighbours in value and in digits: 10.0.0.1, 10.0.0.10, 10.0.0.100 …
        const std::uint32_t address = i < 256 ? 0x0A000000U + static_cast<std::uint32_t>(i) : static_cast<std::uint32_t>(random());
        const auto plain = std::to_string(address >> 24U) + "." + std::to_string(address >> 16U & 255U) + "." + std::to_string(address >> 8U & 255U) + "." +
                           std::to_string(address & 255U);
        const auto value = canonical("ip", plain).value;
        CHECK(value == plain);
        for (const auto& other : {" " + plain, plain + ":443", "::ffff:" + plain, "[::FFFF:" + plain + "]:80"}) {
            CAPTURE(other);
            CHECK(canonical("ip", other).value == value);
        }
        const auto [known, is_new] = owner.emplace(value, address);
        if (!is_new) CHECK(known->second == address);
    }
}

TEST_CASE("property: an IPv6 address is one with or without its zeros, in either case") {
    std::mt19937 random{17};
    std::map<std::string, std::array<unsigned, 8>> owner;
    constexpr auto digits = "0123456789abcdef";
    for (int i = 0; i < 5'000; ++i) {
        std::array<unsigned, 8> groups{};
        for (auto& group : groups) group = random() % 3 == 0 ? static_cast<unsigned>(random() & 0xFFFFU) : static_cast<unsigned>(random() % 2);
        groups[0] = 0x2001;
        std::string full, small;
        for (const auto group : groups) {
            std::string hex;
            for (int shift = 12; shift >= 0; shift -= 4) hex += digits[group >> static_cast<unsigned>(shift) & 15U];
            full += (full.empty() ? "" : ":") + hex;
            hex.erase(0, std::min(hex.find_first_not_of('0'), std::size_t{3}));
            small += (small.empty() ? "" : ":") + hex;
        }
        const auto value = canonical("ip", full).value;
        for (const auto& other : {small, mixed_case(full, random), "[" + small + "]", "[" + mixed_case(small, random) + "]:443", small + "%eth0"}) {
            CAPTURE(other);
            CHECK(canonical("ip", other).value == value);
        }
        const auto [known, is_new] = owner.emplace(value, groups);
        if (!is_new) CHECK(known->second == groups);
    }
}
