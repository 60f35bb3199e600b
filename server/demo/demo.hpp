#pragma once

#include "server/demo/receiver.hpp"

#include <string>

namespace catenary::server {

struct DemoOptions {
    std::string url;        ///< of the running server, "http://127.0.0.1:8080"
    std::string admin_key;  ///< of the operator's tenant: the demo makes a tenant of its own
    std::string key_file;   ///< where the demo tenant's key is written (0600), for the commands it suggests
    std::string webhook;    ///< where the tenant's tickets are posted
    std::string signing;    ///< with what they are signed, "whsec_…"
    /// What came to `webhook`, where that is the demo's own receiver; null: it is somebody else's.
    const DemoReceiver* receiver = nullptr;
    std::string signing_file;  ///< where `signing` is written (0600) for somebody else's receiver
};

/// Makes a fresh tenant of a running server with a connector, posts the built-in story, with progress, waits until it is correlated, prints the incidents with
/// their explanation, the tickets that they became and where to look next. Returns the exit code: 0 when incidents were found. Throws ApiUnreachable when the
/// server goes away. `catenary demo` starts a server as `serve` does, calls this, and goes on serving until it is interrupted.
int demo(const DemoOptions& options);

}  // namespace catenary::server
