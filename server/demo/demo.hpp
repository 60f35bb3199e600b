#pragma once

#include <string>

namespace catenary::server {

struct DemoOptions {
    std::string url;        ///< of the running server, "http://127.0.0.1:8080"
    std::string admin_key;  ///< of the operator's tenant: the demo makes a tenant of its own
    std::string key_file;   ///< where the demo tenant's key is written (0600), for the commands it suggests
};

/// Posts the built-in story into a fresh tenant of a running server, with progress, waits until it is correlated, prints the incidents with their
/// explanation and where to look next. Returns the exit code: 0 when incidents were found. Throws ApiUnreachable when the server goes away.
/// `catenary demo` starts a server as `serve` does, calls this, and goes on serving until it is interrupted.
int demo(const DemoOptions& options);

}  // namespace catenary::server
