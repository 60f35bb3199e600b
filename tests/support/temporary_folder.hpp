#pragma once

#include <filesystem>

namespace catenary::tests {

/// A folder under /tmp, short and open enough for a private cluster whoever runs the tests; removed with everything in it.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace catenary::tests
