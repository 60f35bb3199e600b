#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::engine {

/// An address of either family; an IPv4-mapped IPv6 address is the IPv4 address it carries.
struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};  ///< network order; IPv4 uses the first four, the others are zero
    bool is_v4 = false;

    /// The four decimal numbers, or eight hexadecimal groups in their short form (dotted tails never, also for ::/96). Nothing but the address:
    /// no brackets, zone, port, leading zeros in a decimal number or white space.
    static std::optional<IpAddress> parse(std::string_view text);
    /// RFC 5952 spelling: lower case, the first of the longest runs of two or more zero groups as "::".
    std::string text() const;
    /// Names no single machine: unspecified, loopback, link-local (the same on every link, cloud metadata services included), multicast, broadcast.
    bool is_shared() const;

    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

/// Addresses that share their first `length` bits: "10.0.0.0/8", "2001:db8::/32", or one address without a length.
class IpNetwork {
public:
    /// Bits beyond the length are disregarded, so "10.1.2.3/8" is 10.0.0.0/8. Empty when malformed.
    static std::optional<IpNetwork> parse(std::string_view text);
    bool contains(const IpAddress& address) const;

private:
    IpNetwork(const IpAddress& base, std::size_t length) : base_{base}, length_{length} {}
    IpAddress base_;
    std::size_t length_;
};

}  // namespace catenary::engine
