#include "server/ingest/digest.hpp"

#include <sodium/crypto_shorthash_siphash24.h>

#include <bit>
#include <cstring>

namespace catenary::server {
namespace {

// Digests are stored (signal.key, signal.content), so that bytes are laid out the same on every machine: little end first.
template <class Number>
void append_number(std::string& bytes, Number number) {
    static_assert(std::endian::native == std::endian::little, "write the conversion before porting");
    char raw[sizeof number];
    std::memcpy(raw, &number, sizeof number);
    bytes.append(raw, sizeof number);
}

}  // namespace

Digester& Digester::add(std::string_view part) {
    append_number(bytes_, static_cast<std::uint32_t>(part.size()));
    bytes_.append(part);
    return *this;
}

Digester& Digester::add(std::int64_t part) {
    append_number(bytes_, part);
    return *this;
}

Digest Digester::finish() const {
    unsigned char out[crypto_shorthash_siphashx24_BYTES];
    static_assert(sizeof out == sizeof(Digest) && crypto_shorthash_siphashx24_KEYBYTES == sizeof(DigestKey));
    crypto_shorthash_siphashx24(out, reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size(), key_.data());
    Digest digest;
    std::memcpy(&digest.high, out, 8);
    std::memcpy(&digest.low, out + 8, 8);
    return digest;
}

}  // namespace catenary::server
