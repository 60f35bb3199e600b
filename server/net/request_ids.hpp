#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace catenary::server::net {

/// Ids that connect a reply with the log. Any thread.
class RequestIds {
public:
    /// `seed`: different in each process, so that ids of two runs do not repeat.
    explicit RequestIds(std::uint64_t seed) : next_{seed} {}
    /// The client's own id when it is 1-64 letters, digits, '-', '_' or '.'; else 16 hexadecimal digits.
    std::string choose(std::string_view offered);

private:
    std::atomic<std::uint64_t> next_;
};

}  // namespace catenary::server::net
