#pragma once

#include "server/replay/api_client.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace catenary::tests {

/// What the senders of signals know: which ids were acknowledged, which were ever sent, and how they were answered otherwise.
struct Ledger {
    using Clock = std::chrono::steady_clock;

    std::mutex lock;
    std::set<std::string> sent;
    std::set<std::string> acknowledged;
    std::size_t refused = 0;                  ///< batches answered 503
    std::chrono::milliseconds slowest_no{};   ///< until a 503 or the end of a connection
    std::chrono::milliseconds longest_gap{};  ///< between two acknowledgements, whoever got them
    std::vector<std::string> surprises;       ///< replies that are neither 200 nor 503 with Retry-After
    Clock::time_point last_acknowledged = Clock::now();
};

/// What was asked for under idempotency keys, each again and again until there was a reply.
struct Keyed {
    std::vector<std::string> patterns, comments;  ///< that were answered
    std::vector<std::string> surprises;           ///< replies that are none of 201, 202, 503
};

/// Sends signals (LoadSignal) from two connections, and patterns and comments from a third, until it goes out of scope. Incident 1 has to be there.
/// A batch that was not acknowledged is sent again until it is, but every third is given up: whether its signals are stored stays unknown.
class Load {
public:
    Load(const std::string& url, const std::string& key, Ledger& ledger, Keyed& keyed) : Load{url, url, key, ledger, keyed} {}
    /// With the second sender, and what has a key, on another server of the same database.
    Load(const std::string& url, const std::string& other_url, const std::string& key, Ledger& ledger, Keyed& keyed);
    ~Load();  ///< joins
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

private:
    std::atomic<bool> stop_{false};
    std::vector<std::thread> senders_;
};

/// Two signals that one of the shipped patterns makes an incident of; incident 1 of a new tenant.
void make_incident(server::ApiClient& client);

struct Tally {
    std::size_t acknowledged = 0;
    std::size_t stored = 0;
    std::size_t sent = 0;

    Tally& operator+=(const Tally& other);
};

struct Kept {
    Tally tally;
    std::vector<std::string> stored;  ///< ids
};

/// Looks for every signal that was sent and everything that was asked for under a key, and checks that nothing acknowledged is lost, nothing is there
/// twice, and every reply was one of those that are expected of a server under attack.
Kept check_kept(server::ApiClient& client, Ledger& ledger, const Keyed& keyed);

}  // namespace catenary::tests
