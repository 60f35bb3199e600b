#include "engine/model/canonical.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <string>
#include <string_view>

using catenary::engine::canonical;
using catenary::engine::canonical_part;

namespace {

struct Spelling {
    std::string_view kind;
    std::string_view given;
    std::string_view canonical;
};

constexpr Spelling spellings[] = {
    {"account", " CORP\\Alice ", "corp\\alice"},
    {"account", "CORP/Alice", "corp\\alice"},
    {"account", "CORP\\\\Alice", "corp\\alice"},
    {"account", "\\Alice", "alice"},
    {"account", "Alice@Corp.Example", "alice@corp.example"},
    {"account", "alice@corp.example.", "alice@corp.example"},
    {"account", "alice", "alice"},
    {"account", "Alice_partner.example#EXT#@corp.onmicrosoft.com", "alice_partner.example#ext#@corp.onmicrosoft.com"},
    {"account", "HTTP/web01:8080", "http/web01:8080"},
    {"account", "arn:aws:iam::123456789012:user/Alice", "arn:aws:iam::123456789012:user/alice"},
    {"account", "S-1-5-21-1-2-3-1001", "s-1-5-21-1-2-3-1001"},
    {"mailbox", "Ann Lee <Ann@Corp.Example>", "ann@corp.example"},
    {"mailbox", "SMTP:Ann@corp.example", "ann@corp.example"},
    {"mailbox", "mailto:<ann@corp.example>", "ann@corp.example"},
    {"host", "DC1.Corp.Example.", "dc1.corp.example"},
    {"host", "\\\\FILE01", "file01"},
    {"host", "[2001:DB8::1]", "2001:db8::1"},
    {"host", "10.0.0.5", "10.0.0.5"},
    {"domain", "Evil.Example..", "evil.example"},
    {"ip", "192.0.2.1", "192.0.2.1"},
    {"ip", "192.0.2.1:443", "192.0.2.1"},
    {"ip", "::FFFF:192.0.2.1", "192.0.2.1"},
    {"ip", "::ffff:c000:201", "192.0.2.1"},
    {"ip", "[2001:DB8:0:0:0:0:0:1]:443", "2001:db8::1"},
    {"ip", "2001:db8::1%eth0", "2001:db8::1"},
    {"ip", "2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"},
    {"ip", "2001:0:0:1:0:0:1:1", "2001::1:0:0:1:1"},
    {"ip", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"ip", "1:0:0:0:0:0:0:0", "1::"},
    {"ip", " 010.0.0.1 ", "010.0.0.1"},
    {"ip", "10.0.0.0/8", "10.0.0.0/8"},
    {"ip", "1.2.3", "1.2.3"},
    {"url", "HTTP://A.Example:80", "http://a.example/"},
    {"url", "https://A.example:443/Path?Q=1#F", "https://a.example/Path?Q=1#F"},
    {"url", "https://a.example:8443", "https://a.example:8443/"},
    {"url", "https://a.example:/x", "https://a.example/x"},
    {"url", "http://a.example.?q", "http://a.example/?q"},
    {"url", "http://User@A.example/", "http://User@a.example/"},
    {"url", "http://[2001:DB8:0::1]:80/", "http://[2001:db8::1]/"},
    {"url", "file:///C:/Temp", "file:///C:/Temp"},
    {"url", "A.example/Path", "A.example/Path"},
    {"file", "C:/Temp/A.EXE", "c:\\temp\\a.exe"},
    {"file", "\\\\?\\C:\\Temp\\A.exe", "c:\\temp\\a.exe"},
    {"file", "\\\\Server\\Share\\A", "\\\\server\\share\\a"},
    {"file", "/tmp/A", "/tmp/A"},
    {"file", "Invoice.PDF", "Invoice.PDF"},
    {"file", "D41D8CD98F00B204E9800998ECF8427F", "d41d8cd98f00b204e9800998ecf8427f"},
    {"file", "MD5:D41D8CD98F00B204E9800998ECF8427F", "d41d8cd98f00b204e9800998ecf8427f"},
    {"process", "PowerShell.EXE", "powershell.exe"},
    {"process", "C:/Windows/System32/cmd.exe", "c:\\windows\\system32\\cmd.exe"},
    {"app", " Office 365", "office 365"},
    {"cloud_resource", "/Subscriptions/A/resourceGroups/B/", "/subscriptions/a/resourcegroups/b"},
    {"cloud_resource", "arn:aws:s3:::Bucket/Key", "arn:aws:s3:::Bucket/Key"},
    {"cloud_resource", "0A1B2C3D-0000-4000-8000-00000000000F", "0a1b2c3d-0000-4000-8000-00000000000f"},
    {"badge", " Door 7 ", "Door 7"},
    {"account", "ÄRZTE\\Müller", "Ärzte\\müller"},
};

struct Name {
    std::string_view kind;
    std::string_view value;
};

constexpr Name nobodies[] = {
    {"account", "SYSTEM"},
    {"account", "NT AUTHORITY\\SYSTEM"},
    {"account", "CORP\\SYSTEM"},
    {"account", "root"},
    {"account", "ANONYMOUS LOGON"},
    {"account", "ANONYMOUS"},
    {"account", "NULL"},
    {"account", "NULL SID"},
    {"account", "LOCAL SERVICE"},
    {"account", "NETWORK SERVICE"},
    {"account", "NT AUTHORITY/LOCAL SERVICE"},
    {"account", "-"},
    {"account", "N/A"},
    {"account", "unknown"},
    {"account", ""},
    {"account", "  "},
    {"account", "S-1-5-18"},
    {"account", "DWM-1"},
    {"account", "Window Manager\\DWM-3"},
    {"account", "UMFD-0"},
    {"account", "IIS APPPOOL\\Site"},
    {"account", "CORP\\-"},
    {"account", "root@localhost"},
    {"host", "localhost"},
    {"host", "LOCALHOST."},
    {"host", "a.localhost"},
    {"host", "127.0.0.1"},
    {"host", "::1"},
    {"host", "-"},
    {"domain", "localhost"},
    {"ip", "127.0.0.1"},
    {"ip", "127.8.9.10"},
    {"ip", "::1"},
    {"ip", "0.0.0.0"},
    {"ip", "::"},
    {"ip", "::ffff:127.0.0.1"},
    {"ip", "fe80::1%en0"},
    {"ip", "169.254.169.254"},
    {"ip", "255.255.255.255"},
    {"ip", "224.0.0.251"},
    {"ip", "ff02::1"},
    {"ip", "not an address"},
    {"ip", "10.0.0.0/8"},
    {"url", "http://localhost:8080/x"},
    {"url", "http://[::1]/"},
    {"mailbox", "<>"},
    {"mailbox", "none"},
    {"file", "d41d8cd98f00b204e9800998ecf8427e"},
    {"file", "00000000000000000000000000000000"},
    {"process", "System"},
    {"app", "(unknown)"},
    {"cloud_resource", "null"},
    {"badge", "N/A"},
    {"user", "Root"},
};

constexpr Name somebodies[] = {
    {"account", "alice"},    {"account", "corp\\administrator"},
    {"account", "system32"}, {"account", "dwm-"},
    {"account", "dwm-x"},    {"account", "root@db01"},
    {"account", "FILE01$"},  {"account", "na"},
    {"host", "localhost1"},  {"ip", "128.0.0.1"},
    {"ip", "10.0.0.1"},      {"ip", "2001:db8::1"},
    {"ip", "169.253.0.1"},   {"url", "http://a.example/"},
    {"url", "a/b"},          {"file", "C:\\system"},
    {"process", "systemd"},  {"app", "root"},
    {"badge", "7"},          {"file", "/bin/sh"},
};

}  // namespace

TEST_CASE("each kind has one spelling") {
    for (const auto& [kind, given, expected] : spellings) {
        CAPTURE(kind);
        CAPTURE(given);
        CHECK(canonical(kind, given).value == expected);
        CHECK(canonical(kind, expected) == canonical(kind, given));
    }
}

TEST_CASE("names that identify nobody are kept and marked") {
    for (const auto& [kind, value] : nobodies) {
        CAPTURE(kind);
        CAPTURE(value);
        CHECK_FALSE(canonical(kind, value).identifies);
    }
    for (const auto& [kind, value] : somebodies) {
        CAPTURE(kind);
        CAPTURE(value);
        CHECK(canonical(kind, value).identifies);
    }
    CHECK(canonical("account", "NT AUTHORITY\\SYSTEM").value == "nt authority\\system");
}

TEST_CASE("the two spellings of an account stay two identities") {
    CHECK(canonical("account", "CORP\\alice").value != canonical("account", "alice@corp").value);
}

TEST_CASE("property: spelling twice changes nothing") {
    constexpr std::array kinds{"account", "mailbox", "host", "domain", "ip", "url", "file", "process", "app", "cloud_resource", "badge"};
    constexpr std::array pieces{"a",
                                "B",
                                "\\",
                                "\\\\",
                                "/",
                                "@",
                                ".",
                                "..",
                                ":",
                                "::",
                                "%",
                                "[",
                                "]",
                                "<",
                                ">",
                                " ",
                                "\t",
                                "smtp:",
                                "MAILTO:",
                                "http://",
                                "HTTPS://",
                                ":80",
                                ":443",
                                "?",
                                "#",
                                "C:/",
                                "C:\\",
                                "\\\\?\\",
                                "\\??\\",
                                "127.0.0.1",
                                "::1",
                                "::ffff:",
                                "10.0.0.1",
                                "sha256:",
                                "md5:",
                                "root",
                                "-",
                                "é",
                                "D41D8CD98F00B204E9800998ECF8427E",
                                "/subscriptions/",
                                "localhost",
                                "SYSTEM",
                                "\xff",
                                "0",
                                "//?/"};
    std::mt19937 random{1};
    for (int round = 0; round < 60'000; ++round) {
        std::string text;
        for (auto left = random() % 7; left > 0; --left) text += pieces[random() % pieces.size()];
        const char* kind = kinds[random() % kinds.size()];
        const auto once = canonical(kind, text);
        const auto twice = canonical(kind, once.value);
        if (twice == once) continue;
        CAPTURE(kind);
        CAPTURE(text);
        CAPTURE(once.value);
        CHECK(twice.value == once.value);
        CHECK(twice.identifies == once.identifies);
    }
}

TEST_CASE("a piece of a value is folded as the values it is looked for in") {
    CHECK(canonical_part("account", "Svc-") == "svc-");
    CHECK(canonical_part("file", "\\Temp\\") == "\\temp\\");
    CHECK(canonical_part("file", "/Tmp") == "/Tmp");
    CHECK(canonical_part("url", "HTTPS://A.Example/Path") == "https://a.example/Path");
    CHECK(canonical_part("url", "/Path") == "/Path");
    CHECK(canonical_part("host", "SRV-") == "srv-");
    CHECK(canonical_part("badge", "Door") == "Door");
    CHECK(canonical_part("account", " a ") == " a ");
}
