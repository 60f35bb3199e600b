#include "tests/e2e/curl.hpp"

#include "api/http/target.hpp"
#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace catenary::tests {
namespace {

std::string contents(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

}  // namespace

std::string segment(std::string_view value) { return api::http::percent_encoded(value); }

CurlReply Curl::operator()(const std::string& path, const std::vector<std::string>& arguments) const {
    const auto head = folder_.path() / "head";
    const auto body = folder_.path() / "body";
    std::vector<std::string> command{"curl", "-s", "-S", "-H", "Authorization: Bearer " + key_, "-D", head.string(), "-o", body.string(), "--create-dirs"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.push_back(server_ + path);
    std::filesystem::remove(body);
    ChildProcess process{command, folder_.path() / "said"};
    const auto code = process.wait(std::chrono::seconds{30});
    CAPTURE(path);
    CAPTURE(process.output());
    REQUIRE(code == 0);

    CurlReply reply;
    std::istringstream lines{contents(head)};
    for (std::string line; std::getline(lines, line);) {
        if (line.ends_with('\r')) line.pop_back();
        if (line.starts_with("HTTP/")) reply.status = std::stoi(line.substr(line.find(' ')));
        const auto colon = line.find(": ");
        if (colon == std::string::npos) continue;
        auto name = line.substr(0, colon);
        std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        reply.headers[name] = line.substr(colon + 2);
    }
    reply.text = contents(body);
    const auto type = reply.headers.find("content-type");
    if (type != reply.headers.end() && type->second.find("json") != std::string::npos) reply.body = nlohmann::json::parse(reply.text);
    return reply;
}

}  // namespace catenary::tests
