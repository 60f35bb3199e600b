#pragma once

#include "server/tickets/address_rules.hpp"

#include <boost/system/result.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace catenary::server::tickets {

struct OutboundLimits {
    std::chrono::milliseconds connect{5'000};  ///< to be connected, TLS included
    std::chrono::milliseconds total{15'000};   ///< from the first byte to the last, the name's resolution besides
    std::size_t reply_bytes = 1U << 20U;
    std::string ca_file;  ///< certificates to trust instead of the system's; "" for those
};

struct OutboundRequest {
    std::string method;
    std::string url;
    std::vector<std::string> headers;  ///< "Name: value"; never logged
    std::string body;
};

struct OutboundReply {
    int status = 0;
    std::string body;
    std::optional<std::chrono::seconds> retry_after;  ///< as asked for, whatever its form
    std::string etag;                                 ///< as it came, with its quotes; "" when there was none
};

struct OutboundError {
    enum class Kind {
        refused,    ///< by us: the target is none that connectors may talk to
        not_sent,   ///< nothing of the request has left: resolve, connect or verify failed
        lost,       ///< it may have arrived
        too_large,  ///< it has arrived, but its reply is longer than is read
    };
    Kind kind;
    std::string detail;  ///< safe to show: nothing of request or secrets
};
using OutboundResult = boost::system::result<OutboundReply, OutboundError>;

/// HTTP to what administrators named: the name is resolved once, every address of it must be permitted, and the connection goes to the one that was
/// checked; TLS names are verified; nothing is redirected, nothing goes through a proxy; plain http only to networks that the operator allows. One thread,
/// but for `cut`.
class Outbound {
public:
    Outbound(const AddressRules& rules, OutboundLimits limits);
    ~Outbound();
    Outbound(const Outbound&) = delete;
    Outbound& operator=(const Outbound&) = delete;

    OutboundResult send(const OutboundRequest& request);
    /// Ends a request under way, and every one to come, as lost. Any thread.
    void cut() { cut_ = true; }

private:
    struct Handle;
    const AddressRules& rules_;
    OutboundLimits limits_;
    std::unique_ptr<Handle> handle_;
    std::atomic<bool> cut_ = false;
};

}  // namespace catenary::server::tickets
