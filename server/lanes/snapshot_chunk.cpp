#include "server/lanes/snapshot_chunk.hpp"

#define ZLIB_CONST  // zlib does not write to its input
#include <zlib.h>

#include <new>

namespace catenary::server {
namespace {

const Bytef* input(std::string_view bytes) { return reinterpret_cast<const Bytef*>(bytes.data()); }
Bytef* output(std::string& bytes) { return reinterpret_cast<Bytef*>(bytes.data()); }

}  // namespace

std::string packed_chunk(std::string_view bytes) {
    std::string packed(::compressBound(bytes.size()), '\0');
    uLongf size = packed.size();
    if (::compress2(output(packed), &size, input(bytes), bytes.size(), Z_BEST_SPEED) != Z_OK) throw std::bad_alloc{};
    packed.resize(size);
    return packed;
}

std::optional<std::string> unpacked_chunk(std::string_view packed, std::size_t bytes) {
    if (bytes > most_chunk_bytes) return std::nullopt;
    std::string unpacked(bytes, '\0');
    uLongf size = bytes;
    if (::uncompress(output(unpacked), &size, input(packed), packed.size()) != Z_OK || size != bytes) return std::nullopt;
    return unpacked;
}

}  // namespace catenary::server
