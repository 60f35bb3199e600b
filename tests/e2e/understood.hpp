#pragma once

#include "server/replay/api_client.hpp"
#include "tests/support/server_process.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace catenary::tests {

/// What a server made of a tenant's signals, in a form that depends on the set of signals alone: incidents with their findings and evidence.
///
/// Left out is what may differ between two runs that are both right: times of admission (`created`, `updated`, `received`); numbers of incidents, given
/// in the order in which they began, and so in which two senders were served; revisions, of which there are as many as changes were written, and comments
/// count; and ids of findings, which are hashes of the tenant too, with the one finding that an incident's evidence names where several began with it (every
/// finding is compared with all of its evidence). Where one sender waits for every answer, numbers and revisions can be compared as well.
struct Understood {
    std::vector<std::string> items;  ///< an incident each, with everything in it, then findings without one; sorted
    std::size_t incidents = 0;
    std::size_t findings = 0;
    std::size_t evidence = 0;  ///< signals of incidents, those that serve several findings once
};

/// Waits until the tenant's signals are correlated, then reads.
Understood understood(server::ApiClient& client);

/// How two differ, with the first item that only one of them has; "" when they are equal.
std::string difference(const Understood& actual, const Understood& expected);

/// How far servers that were disturbed understood the same as one that was not.
struct Agreement {
    std::size_t incidents = 0;  ///< that were compared
    std::size_t findings = 0;
    std::size_t evidence = 0;
    bool is_equal = true;

    Agreement& operator+=(const Agreement& other);
    /// "120 incidents of 150 findings and 460 signals, digests equal".
    std::string text() const;
};

/// A server that nobody disturbs.
class Undisturbed {
public:
    Undisturbed() { server_.start(); }

    /// Gives a new tenant the signals of a load that are `stored` for the tenant of `disturbed`, and incident 1; checks that both were understood alike.
    /// The order is that of event time, the batches are others.
    Agreement compare(server::ApiClient& disturbed, const std::vector<std::string>& stored);

private:
    ServerProcess server_;
    int tenants_ = 0;
};

}  // namespace catenary::tests
