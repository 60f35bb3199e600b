#pragma once

#include <cstdlib>
#include <filesystem>

namespace catenary::tests {

/// The folder of data sets and reference material that some tests measure against, CATENARY_SHARED; they are skipped where it is absent.
inline std::filesystem::path shared_material() {
    const auto* folder = std::getenv("CATENARY_SHARED");
    return folder == nullptr ? std::filesystem::path{} : std::filesystem::path{folder};
}
inline bool no_shared_material() { return shared_material().empty() || !std::filesystem::exists(shared_material() / "datasets"); }

}  // namespace catenary::tests
