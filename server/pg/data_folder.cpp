#include "server/pg/data_folder.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace catenary::server::pg {
namespace {

std::string holder_of(int descriptor) {
    std::array<char, 32> text{};
    const auto got = ::pread(descriptor, text.data(), text.size() - 1, 0);
    std::string shown{text.data(), static_cast<std::size_t>(got > 0 ? got : 0)};
    while (!shown.empty() && shown.back() == '\n') shown.pop_back();
    return shown.empty() ? "another process" : fmt::format("process {}", shown);
}

}  // namespace

Started<DataFolder> DataFolder::open(const std::filesystem::path& path) {
    std::error_code error;
    auto absolute = std::filesystem::absolute(path, error);
    if (error) return StartFailure{fmt::format("data folder {}: {}", path.string(), error.message())};
    const bool existed = std::filesystem::exists(absolute, error);
    if (!existed) {
        std::filesystem::create_directories(absolute, error);
        if (error) return StartFailure{fmt::format("cannot make the data folder {}: {}", absolute.string(), error.message())};
        ::chmod(absolute.c_str(), ::geteuid() == 0 ? 0711 : 0700);
    }
    absolute = std::filesystem::canonical(absolute, error);
    if (error) return StartFailure{fmt::format("data folder {}: {}", path.string(), error.message())};
    const auto lock = absolute / "lock";
    const int descriptor = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return StartFailure{fmt::format("cannot open {}: {}", lock.string(), std::strerror(errno))};
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        const auto holder = holder_of(descriptor);
        ::close(descriptor);
        return StartFailure{fmt::format("the data folder {} is in use by {}: stop that one, or choose another --data-dir", absolute.string(), holder)};
    }
    const auto self = fmt::format("{}\n", ::getpid());  // for people only; the lock is what counts
    if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, self.data(), self.size(), 0) != static_cast<ssize_t>(self.size())) {
        const StartFailure failure{fmt::format("cannot write {}: {}", lock.string(), std::strerror(errno))};
        ::close(descriptor);
        return failure;
    }
    return DataFolder{std::move(absolute), descriptor};
}

DataFolder::DataFolder(DataFolder&& other) noexcept : path_{std::move(other.path_)}, descriptor_{std::exchange(other.descriptor_, -1)} {}

DataFolder::~DataFolder() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace catenary::server::pg
