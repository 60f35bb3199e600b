#pragma once

#include "engine/model/ip_address.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace catenary::server {

/// "whsec_…" of 32 random bytes, as the Standard Webhooks specification has it.
std::string new_signing_secret();

/// A ticket system of the demo's own: takes what a webhook connector posts, verifies its signature and keeps what each ticket says. It stands on a loopback
/// address that nobody else uses, so that connectors of the demo may be allowed to talk to it and to nothing else on this machine.
class DemoReceiver {
public:
    /// Listens on a port that the system chooses. Throws std::runtime_error.
    DemoReceiver();
    ~DemoReceiver();  // stops
    DemoReceiver(const DemoReceiver&) = delete;
    DemoReceiver& operator=(const DemoReceiver&) = delete;

    /// What connectors must be allowed to talk to.
    static engine::IpNetwork network();
    std::string url() const;
    /// What messages are signed with, made for this receiver: "whsec_…".
    const std::string& secret() const;

    /// What the newest message about an incident says.
    struct Ticket {
        std::string event;  ///< "incident.created"
        std::string title;
        std::string body;
    };
    struct Received {
        std::map<std::int64_t, Ticket> tickets;  ///< by incident; at most 64
        std::int64_t verified = 0;               ///< messages whose signature holds
        std::int64_t refused = 0;                ///< all others
    };
    /// Any thread.
    Received received() const;

private:
    class Site;
    std::unique_ptr<Site> site_;
};

}  // namespace catenary::server
