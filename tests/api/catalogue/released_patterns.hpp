#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace catenary::tests {

/// A document as it was released: FNV-1a of its normal form without `examples`. Findings are named by its id and version, so it stays as it is.
struct ReleasedPattern {
    std::string_view id;
    std::uint64_t hash;
};
inline constexpr std::array<ReleasedPattern, 22> released_patterns{{
    {"account-takeover-to-mass-download", 0x094B052E4E3E8C7E},
    {"bulk-collection-then-upload", 0x6F9A2A69C36B58D0},
    {"bulk-file-deletion", 0x86BFE072E43E78AA},
    {"bulk-file-download", 0xFB1548A8CFBFA8F9},
    {"cloud-key-to-public-data", 0x9BE3CA8D549D781B},
    {"defences-disabled-then-encryption", 0xF9B895CE5885DDB6},
    {"directory-discovery-to-lateral-movement", 0xA1EEA7AE49746F08},
    {"endpoint-execution-then-firewall-anomaly", 0xF97360C89F96D7E7},
    {"lateral-movement-to-staging", 0x9561B1ADC59A2FDB},
    {"mfa-fatigue", 0xB59742BBE1F42450},
    {"new-administrator-then-mail-forwarding", 0xF342697FCF9C0593},
    {"office-document-to-ransomware", 0x6970014D11F3F4BD},
    {"password-guessing", 0x7FA8931BC9A16F95},
    {"password-guessing-then-sign-in", 0x3101FC0DA9777CF3},
    {"password-spray", 0x70C64AEF9278C9D1},
    {"password-spray-then-sign-in", 0x53C1A899E6CD5EAE},
    {"phishing-click-to-account-takeover", 0x0930286443BDDB71},
    {"risky-sign-in-then-compute-abuse", 0x597565FD245005BB},
    {"risky-sign-in-then-destruction", 0xB5265D9F40DD4AD4},
    {"storage-keys-then-mass-deletion", 0x96D367B0C61859AC},
    {"vpn-break-in-to-data", 0x4D3F5C24B5B76119},
    {"web-shell-to-command-and-control", 0x284EDF62F6C593CD},
}};
}  // namespace catenary::tests
