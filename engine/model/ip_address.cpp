#include "engine/model/ip_address.hpp"

#include "engine/model/ascii.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace catenary::engine {
namespace {

std::optional<IpAddress> parse_v4(std::string_view text) {
    IpAddress address;
    address.is_v4 = true;
    const char* at = text.data();
    const char* const end = at + text.size();
    for (std::size_t part = 0; part < 4; ++part) {
        if (part > 0 && (at == end || *at++ != '.')) return std::nullopt;
        // A leading zero is octal to some readers and decimal to others: such text names no certain address.
        if (at == end || !is_ascii_digit(*at) || (*at == '0' && at + 1 != end && is_ascii_digit(at[1]))) return std::nullopt;
        const auto [next, error] = std::from_chars(at, end, address.bytes[part]);
        if (error != std::errc{}) return std::nullopt;
        at = next;
    }
    if (at != end) return std::nullopt;
    return address;
}

std::optional<IpAddress> parse_v6(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
    std::copy(text.begin(), text.end(), terminated.begin());
    IpAddress address;
    if (inet_pton(AF_INET6, terminated.data(), address.bytes.data()) != 1) return std::nullopt;
    constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::memcmp(address.bytes.data(), mapped, sizeof mapped) == 0) {
        std::copy_n(address.bytes.begin() + 12, 4, address.bytes.begin());
        std::fill(address.bytes.begin() + 4, address.bytes.end(), std::uint8_t{0});
        address.is_v4 = true;
    }
    return address;
}

struct Run {
    int begin;
    int length;
};

Run longest_zero_run(const std::array<unsigned, 8>& groups) {
    Run best{0, 1};  // one zero group alone is written out
    for (int begin = 0; begin < 8;) {
        int end = begin;
        while (end < 8 && groups[static_cast<std::size_t>(end)] == 0) ++end;
        if (end - begin > best.length) best = {begin, end - begin};
        begin = end + 1;
    }
    return best;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    if (text.find(':') != std::string_view::npos) return parse_v6(text);
    return parse_v4(text);
}

std::string IpAddress::text() const {
    std::array<char, INET6_ADDRSTRLEN> written;
    char* at = written.data();
    char* const end = at + written.size();
    if (is_v4) {
        for (std::size_t part = 0; part < 4; ++part) {
            if (part > 0) *at++ = '.';
            at = std::to_chars(at, end, static_cast<unsigned>(bytes[part])).ptr;
        }
        return {written.data(), at};
    }
    std::array<unsigned, 8> groups;
    for (std::size_t group = 0; group < 8; ++group) groups[group] = static_cast<unsigned>(bytes[2 * group] << 8 | bytes[2 * group + 1]);
    const Run zeros = longest_zero_run(groups);
    for (int group = 0; group < 8; ++group) {
        if (zeros.length > 1 && group == zeros.begin) {
            *at++ = ':';
            *at++ = ':';
            group += zeros.length - 1;
            continue;
        }
        if (group > 0 && at[-1] != ':') *at++ = ':';
        at = std::to_chars(at, end, groups[static_cast<std::size_t>(group)], 16).ptr;
    }
    return {written.data(), at};
}

bool IpAddress::is_shared() const {
    if (is_v4) {
        return bytes[0] == 127 || (bytes[0] & 0xf0) == 0xe0 || (bytes[0] == 169 && bytes[1] == 254) ||
               std::all_of(bytes.begin(), bytes.begin() + 4, [](std::uint8_t byte) { return byte == 0; }) ||
               std::all_of(bytes.begin(), bytes.begin() + 4, [](std::uint8_t byte) { return byte == 255; });
    }
    const bool zeros = std::all_of(bytes.begin(), bytes.begin() + 15, [](std::uint8_t byte) { return byte == 0; });
    return (zeros && bytes[15] <= 1) || bytes[0] == 0xff || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address_text = text.substr(0, slash);
    const auto base = IpAddress::parse(address_text);
    if (!base) return std::nullopt;
    const std::size_t width = base->is_v4 ? 32 : 128;
    if (slash == std::string_view::npos) return IpNetwork{*base, width};

    const auto digits = text.substr(slash + 1);
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
    if (base->is_v4 && address_text.find(':') != std::string_view::npos) {  // ::ffff:10.0.0.0/104 counts its bits in the longer form
        if (length < 96) return std::nullopt;
        length -= 96;
    }
    if (length > width) return std::nullopt;
    return IpNetwork{*base, length};
}

bool IpNetwork::contains(const IpAddress& address) const {
    if (address.is_v4 != base_.is_v4) return false;
    const std::size_t whole = length_ / 8;
    if (std::memcmp(address.bytes.data(), base_.bytes.data(), whole) != 0) return false;
    const auto rest = static_cast<unsigned>(length_ % 8);
    return rest == 0 || ((address.bytes[whole] ^ base_.bytes[whole]) >> (8 - rest)) == 0;
}

}  // namespace catenary::engine
