#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace catenary::server {

/// 128 bits of keyed SipHash: stands for a value in memory, so that maps of attacker-chosen strings stay small and cannot be made to collide.
struct Digest {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend bool operator==(const Digest&, const Digest&) = default;
};

/// Digests are uniformly distributed already, so that half of one is its hash.
struct DigestHash {
    using is_avalanching = void;
    std::size_t operator()(const Digest& digest) const { return digest.low; }
};

using DigestKey = std::array<unsigned char, 16>;  ///< layout.hash_key

/// Digests tuples of strings and numbers: every part is length-prefixed, so that no two tuples give the same bytes. Reuses its buffer; one thread.
class Digester {
public:
    explicit Digester(const DigestKey& key) : key_{key} {}

    /// Starts a tuple; `kind` keeps tuples of different meaning apart.
    Digester& start(char kind) {
        bytes_.assign(1, kind);
        return *this;
    }
    Digester& add(std::string_view part);
    Digester& add(std::int64_t part);
    /// Lets `write(std::string&)` append bytes that are unambiguous by themselves.
    template <class Write>
    Digester& add_bytes(Write&& write) {
        write(bytes_);
        return *this;
    }
    Digest finish() const;

private:
    DigestKey key_;
    std::string bytes_;
};

}  // namespace catenary::server
