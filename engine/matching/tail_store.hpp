#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace catenary::engine {

/// Strings of bytes, each with an owner's number, one after the other in large blocks: signals come and go nearly in order, so that whole blocks come
/// free. Of a block that is more than half free what is left moves to the newest one.
class TailStore {
public:
    /// Where a string is; `nowhere` is none.
    struct Place {
        std::uint32_t block = 0xFFFF'FFFF;
        std::uint32_t offset = 0;
        friend bool operator==(const Place&, const Place&) = default;
    };
    static const Place nowhere;

    /// Room for `size` bytes, aligned to four.
    Place add(std::uint32_t owner, std::size_t size);
    std::byte* at(Place place) { return blocks_[place.block].bytes.get() + place.offset + header; }
    const std::byte* at(Place place) const { return blocks_[place.block].bytes.get() + place.offset + header; }
    std::size_t size(Place place) const { return read(blocks_[place.block].bytes.get() + place.offset + sizeof(std::uint32_t)); }
    /// Calls `moved(owner, Place)` for others that move, for which `place_of(owner)` says where they are.
    template <class PlaceOf, class Moved>
    void release(Place place, PlaceOf place_of, Moved moved);
    std::size_t bytes() const { return bytes_; }

private:
    static constexpr std::size_t header = 8;  // owner, size
    static constexpr std::size_t block_size = 16'384;
    struct Block {
        std::unique_ptr<std::byte[]> bytes;
        std::uint32_t size = 0;
        std::uint32_t used = 0;
        std::uint32_t live = 0;
    };
    static std::size_t room(std::size_t size) { return (header + size + 3) / 4 * 4; }
    static std::uint32_t read(const std::byte* from);
    void free_block(std::uint32_t block);

    std::vector<Block> blocks_;
    std::vector<std::uint32_t> free_;
    std::uint32_t open_ = 0xFFFF'FFFF;  // the block that is being filled
    std::size_t bytes_ = 0;
};

inline constexpr TailStore::Place TailStore::nowhere{};

template <class PlaceOf, class Moved>
void TailStore::release(Place place, PlaceOf place_of, Moved moved) {
    const std::uint32_t number = place.block;
    blocks_[number].live -= static_cast<std::uint32_t>(room(read(blocks_[number].bytes.get() + place.offset + 4)));
    if (number == open_ || blocks_[number].live * 2 > blocks_[number].used) return;
    for (std::uint32_t offset = 0; blocks_[number].live > 0 && offset < blocks_[number].used;) {
        const std::byte* from = blocks_[number].bytes.get() + offset;
        const std::uint32_t owner = read(from);
        const std::uint32_t size = read(from + 4);
        const Place known = place_of(owner);
        if (known.block == number && known.offset == offset) {
            const Place to = add(owner, size);
            const std::byte* source = blocks_[number].bytes.get() + offset + header;  // blocks_ may have grown
            std::copy(source, source + size, at(to));
            blocks_[number].live -= static_cast<std::uint32_t>(room(size));
            moved(owner, to);
        }
        offset += static_cast<std::uint32_t>(room(size));
    }
    free_block(number);
}

}  // namespace catenary::engine
