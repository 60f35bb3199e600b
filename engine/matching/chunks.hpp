#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace catenary::engine {

/// Values by number, in pieces that stay where they are: growing copies nothing and leaves no half-empty room behind. Never shrinks.
template <class T>
class Chunks {
public:
    T& operator[](std::size_t number) { return (*chunks_[number / per_chunk])[number % per_chunk]; }
    const T& operator[](std::size_t number) const { return (*chunks_[number / per_chunk])[number % per_chunk]; }
    std::size_t size() const { return size_; }
    /// Room for `size` values, the new ones as made by default.
    void grow_to(std::size_t size) {
        while (chunks_.size() * per_chunk < size) chunks_.push_back(std::make_unique<Chunk>());
        if (size > size_) size_ = size;
    }
    std::size_t bytes() const { return chunks_.size() * sizeof(Chunk); }

private:
    static constexpr std::size_t per_chunk = 1'024;
    using Chunk = std::array<T, per_chunk>;
    std::vector<std::unique_ptr<Chunk>> chunks_;
    std::size_t size_ = 0;
};

}  // namespace catenary::engine
