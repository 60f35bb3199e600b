#include "server/admin_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace catenary::server {
namespace {

constexpr const char* file_name = "admin.key";

bool write_whole(const std::filesystem::path& file, const std::string& text) {
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0) return false;
    bool good = ::fchmod(descriptor, S_IRUSR | S_IWUSR) == 0;  // also of a file that was there before
    good = good && ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    good = good && ::fsync(descriptor) == 0;
    return ::close(descriptor) == 0 && good;
}

bool sync_folder(const std::filesystem::path& folder) {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return false;
    const bool good = ::fsync(descriptor) == 0;
    return ::close(descriptor) == 0 && good;
}

}  // namespace

bool keep_admin_key(const std::filesystem::path& folder, const std::string& key) {
    const auto unfinished = folder / "admin.key.new";
    return write_whole(unfinished, key + "\n") && std::rename(unfinished.c_str(), (folder / file_name).c_str()) == 0 && sync_folder(folder);
}

std::string kept_admin_key(const std::filesystem::path& folder) {
    std::ifstream file{folder / file_name};
    std::string key;
    std::getline(file, key);
    return key;
}

}  // namespace catenary::server
