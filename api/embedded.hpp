#pragma once

#include <span>
#include <string_view>

namespace catenary::api {

/// A file of this folder that is part of the program.
struct EmbeddedFile {
    std::string_view path;  ///< below api/: "openapi.yaml", "catalogue/patterns/<id>.yaml"
    std::string_view text;
};

/// All of them, by path. Made at build time by embed.cmake.
std::span<const EmbeddedFile> embedded_files();

}  // namespace catenary::api
