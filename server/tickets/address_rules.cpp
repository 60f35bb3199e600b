#include "server/tickets/address_rules.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace catenary::server::tickets {
namespace {

using engine::IpAddress;
using engine::IpNetwork;

// The IANA special-purpose registries (RFC 6890 and its successors), and multicast.
constexpr std::array<std::string_view, 15> refused_v4{"0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
                                                      "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
                                                      "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4"};
constexpr std::array<std::string_view, 10> refused_v6{"::/96",     "100::/64", "2001::/32", "2001:db8::/32", "3fff::/20",
                                                      "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10",     "ff00::/8"};

bool in_any(const IpAddress& address, std::span<const std::string_view> networks) {
    return std::ranges::any_of(networks, [&](std::string_view text) {
        const auto network = IpNetwork::parse(text);
        return network && network->contains(address);
    });
}

IpAddress carried(const IpAddress& address, std::size_t from) {
    IpAddress inner;
    inner.is_v4 = true;
    std::copy_n(address.bytes.begin() + static_cast<std::ptrdiff_t>(from), 4, inner.bytes.begin());
    return inner;
}

/// The IPv4 address that an IPv6 address leads to by translation; mapped ones are read as IPv4 already.
std::optional<IpAddress> translated(const IpAddress& address) {
    if (in_any(address, std::array<std::string_view, 2>{"64:ff9b::/96", "64:ff9b:1::/48"})) return carried(address, 12);
    if (in_any(address, std::array<std::string_view, 1>{"2002::/16"})) return carried(address, 2);
    return std::nullopt;
}

bool is_public(const IpAddress& address) {
    if (address.is_v4) return !in_any(address, refused_v4);
    if (const auto inner = translated(address)) return is_public(*inner);
    return !in_any(address, refused_v6);
}

}  // namespace

bool AddressRules::is_allowed(const IpAddress& address) const {
    return std::ranges::any_of(allowed_, [&](const IpNetwork& network) { return network.contains(address); });
}

bool AddressRules::permits(const IpAddress& address) const { return is_allowed(address) || is_public(address); }

}  // namespace catenary::server::tickets
