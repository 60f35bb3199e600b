#pragma once

#include "tests/support/temporary_folder.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::tests {

struct CurlReply {
    int status = 0;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string text;
    nlohmann::json body;  ///< null where the reply is no JSON
};

/// The command-line program, with a key: what a person at a terminal has.
class Curl {
public:
    Curl(std::string server, std::string key) : server_{std::move(server)}, key_{std::move(key)} {}

    /// `path` from the server's root, its variable segments encoded; `arguments` as one would type them, each one word.
    CurlReply operator()(const std::string& path, const std::vector<std::string>& arguments = {}) const;

private:
    TemporaryFolder folder_;
    std::string server_;
    std::string key_;
};

/// A value as one segment of a path.
std::string segment(std::string_view value);

}  // namespace catenary::tests
