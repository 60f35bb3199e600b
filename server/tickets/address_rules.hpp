#pragma once

#include "engine/model/ip_address.hpp"

#include <string>
#include <vector>

namespace catenary::server::tickets {

/// Which addresses connectors may talk to: those of the public internet, and the networks that the operator allows besides. Loopback, private, link-local,
/// shared, documentation, multicast and reserved addresses are refused, also as an IPv6 address that carries one (mapped, NAT64, 6to4, Teredo).
class AddressRules {
public:
    explicit AddressRules(std::vector<engine::IpNetwork> allowed = {}) : allowed_{std::move(allowed)} {}

    bool permits(const engine::IpAddress& address) const;
    /// The operator named it: plain http may be spoken to it as well.
    bool is_allowed(const engine::IpAddress& address) const;

private:
    std::vector<engine::IpNetwork> allowed_;
};

}  // namespace catenary::server::tickets
