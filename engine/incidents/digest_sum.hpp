#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace catenary::engine {

/// A digest of a multiset of texts: the sum of their SHA-1 values modulo 2^160. The order of adding does not show, and texts may be added when what
/// they describe leaves memory.
class DigestSum {
public:
    void add(std::string_view text);
    void add(const DigestSum& other);
    std::string hex() const;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.words_);
    }
    friend bool operator==(const DigestSum&, const DigestSum&) = default;

private:
    std::array<std::uint32_t, 5> words_{};  // least significant first
};

}  // namespace catenary::engine
