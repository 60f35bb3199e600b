#include "engine/matching/tail_store.hpp"

#include <algorithm>
#include <cstring>

namespace catenary::engine {

std::uint32_t TailStore::read(const std::byte* from) {
    std::uint32_t number = 0;
    std::memcpy(&number, from, sizeof number);
    return number;
}

TailStore::Place TailStore::add(std::uint32_t owner, std::size_t size) {
    const std::size_t needed = room(size);
    if (open_ >= blocks_.size() || blocks_[open_].used + needed > blocks_[open_].size) {
        if (open_ < blocks_.size() && blocks_[open_].live == 0) free_block(open_);
        if (free_.empty()) {
            free_.push_back(static_cast<std::uint32_t>(blocks_.size()));
            blocks_.emplace_back();
        }
        open_ = free_.back();
        free_.pop_back();
        const std::size_t whole = std::max(needed, block_size);
        blocks_[open_] = {std::make_unique<std::byte[]>(whole), static_cast<std::uint32_t>(whole), 0, 0};
        bytes_ += whole;
    }
    Block& block = blocks_[open_];
    const Place place{open_, block.used};
    const auto length = static_cast<std::uint32_t>(size);
    std::memcpy(block.bytes.get() + place.offset, &owner, sizeof owner);
    std::memcpy(block.bytes.get() + place.offset + sizeof owner, &length, sizeof length);
    block.used += static_cast<std::uint32_t>(needed);
    block.live += static_cast<std::uint32_t>(needed);
    return place;
}

void TailStore::free_block(std::uint32_t block) {
    bytes_ -= blocks_[block].size;
    blocks_[block] = {};
    free_.push_back(block);
}

}  // namespace catenary::engine
