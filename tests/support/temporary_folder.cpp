#include "tests/support/temporary_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>

namespace catenary::tests {

TemporaryFolder::TemporaryFolder() {
    std::string name = "/tmp/catenary-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder under /tmp");
    path_ = name;
    if (::geteuid() == 0) ::chmod(name.c_str(), 0711);  // PostgreSQL runs as somebody else then
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace catenary::tests
