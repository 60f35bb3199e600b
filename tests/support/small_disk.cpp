#include "tests/support/small_disk.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace catenary::tests {
namespace {

/// Empty: mounted.
std::optional<std::string> mount_at(const std::filesystem::path& folder, std::uint64_t megabytes) {
    const auto options = "mode=0711,size=" + std::to_string(megabytes) + "m";
    if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, options.c_str()) == 0) return std::nullopt;
    return std::string{"a tmpfs cannot be mounted: "} + std::strerror(errno);
}

}  // namespace

std::optional<std::string> SmallDisk::impossible() {
    const TemporaryFolder folder;
    auto why = mount_at(folder.path(), 1);
    if (!why) ::umount2(folder.path().c_str(), MNT_DETACH);
    return why;
}

SmallDisk::SmallDisk(std::uint64_t megabytes) : path_{folder_.path() / "disk"} {
    std::filesystem::create_directory(path_);
    if (const auto why = mount_at(path_, megabytes)) throw std::runtime_error(*why);
}

SmallDisk::~SmallDisk() { ::umount2(path_.c_str(), MNT_DETACH); }

void SmallDisk::fill(std::uint64_t megabytes) const {
    const auto file = path_ / "ballast";
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) throw std::runtime_error("cannot make " + file.string());
    struct statvfs size {};
    ::fstatvfs(descriptor, &size);
    const auto free = static_cast<std::int64_t>(size.f_bavail * size.f_frsize);
    const auto ballast = free - static_cast<std::int64_t>(megabytes << 20U);
    // What others write at the same moment is missing: without room to leave, until nothing is left.
    int failure = ballast > 0 ? ::posix_fallocate(descriptor, 0, ballast) : 0;
    for (auto piece = ballast / 2; megabytes == 0 && piece >= 4096;) {
        const auto end = ::lseek(descriptor, 0, SEEK_END);
        failure = ::posix_fallocate(descriptor, end, piece);
        if (failure != 0) piece /= 2;
    }
    ::close(descriptor);
    if (failure != 0 && failure != ENOSPC) throw std::runtime_error(std::string{"cannot fill the disk: "} + std::strerror(failure));
}

void SmallDisk::relieve() const { std::filesystem::remove(path_ / "ballast"); }

}  // namespace catenary::tests
