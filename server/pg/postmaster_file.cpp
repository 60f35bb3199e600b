#include "server/pg/postmaster_file.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <vector>

namespace catenary::server::pg {
namespace {

template <class Integer>
std::optional<Integer> whole_number(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::optional<PostmasterFile> read_postmaster_file(const std::filesystem::path& cluster) {
    std::ifstream in{cluster / "postmaster.pid"};
    std::string line;
    PostmasterFile file;
    // Lines: process id, data folder, start time, port, socket folder, listen address, "key id" of shared memory, state.
    for (int number = 1; number <= 7 && std::getline(in, line); ++number) {
        if (number == 1) {
            const auto pid = whole_number<pid_t>(line);
            if (!pid || *pid <= 0) return std::nullopt;
            file.pid = *pid;
        }
        if (number == 2) file.data_folder = line;
        if (number == 7) {
            std::istringstream words{line};
            std::string key, id;
            words >> key >> id;
            file.shared_memory = whole_number<std::int64_t>(id).value_or(-1);
        }
    }
    if (file.pid == 0) return std::nullopt;
    return file;
}

bool is_postmaster_of(pid_t pid, const std::filesystem::path& cluster) {
    // The command line can be read by everybody; /proc/PID/cwd and exe cannot, not even by root in a container.
    std::ifstream in{"/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{}};
    std::vector<std::string> words;
    for (std::size_t at = 0; at < text.size();) {
        auto end = text.find('\0', at);
        if (end == std::string::npos) end = text.size();
        words.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    if (words.size() < 3 || std::filesystem::path{words[0]}.filename() != "postgres") return false;
    for (std::size_t i = 1; i + 1 < words.size(); ++i) {
        if (words[i] == "-D" && words[i + 1] == cluster.string()) return true;
    }
    return false;
}

std::int64_t attached_to(std::int64_t shared_memory) {
    // key shmid perms size cpid lpid nattch …: unlike shmctl this needs no right to the segment.
    std::ifstream in{"/proc/sysvipc/shm"};
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
        std::istringstream words{line};
        std::int64_t key = 0, id = 0, size = 0, creator = 0, last = 0, attached = 0;
        std::string permissions;
        if (words >> key >> id >> permissions >> size >> creator >> last >> attached && id == shared_memory) return attached;
    }
    return 0;
}

}  // namespace catenary::server::pg
