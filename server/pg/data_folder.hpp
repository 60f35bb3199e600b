#pragma once

#include "server/pg/start_failure.hpp"

#include <filesystem>

namespace catenary::server::pg {

/// The server's data folder, held by one process: the lock is the kernel's (flock), so it ends with the process however that ends.
class DataFolder {
public:
    /// Makes the folder where it is missing (0700, or 0711 for root, whose PostgreSQL runs as another user and must pass through) and locks it.
    /// Fails when another process holds it, naming that process.
    static Started<DataFolder> open(const std::filesystem::path& path);

    ~DataFolder();  // gives the lock back
    DataFolder(DataFolder&& other) noexcept;
    DataFolder& operator=(DataFolder&&) = delete;

    /// Absolute, without symbolic links.
    const std::filesystem::path& path() const { return path_; }

private:
    DataFolder(std::filesystem::path path, int descriptor) : path_{std::move(path)}, descriptor_{descriptor} {}
    std::filesystem::path path_;
    int descriptor_;
};

}  // namespace catenary::server::pg
