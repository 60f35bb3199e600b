#pragma once

#include "tests/support/temporary_folder.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace catenary::tests {

/// A file system in memory of a few megabytes, that can be filled. Needs the right to mount.
class SmallDisk {
public:
    /// Why this process cannot have one; empty: it can.
    static std::optional<std::string> impossible();

    /// Throws std::runtime_error where it is impossible.
    explicit SmallDisk(std::uint64_t megabytes);
    ~SmallDisk();  ///< takes it away, whoever uses it
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    /// A folder on it that everybody may enter.
    const std::filesystem::path& path() const { return path_; }
    /// Takes all but `megabytes` of what is free.
    void fill(std::uint64_t megabytes) const;
    /// Gives it back.
    void relieve() const;

private:
    TemporaryFolder folder_;
    std::filesystem::path path_;
};

}  // namespace catenary::tests
