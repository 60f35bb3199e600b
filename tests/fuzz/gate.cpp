// A request head: whatever the gate lets through has one length, and the most lenient reader there is finds no other.
#include "server/net/gate.hpp"
#include "tests/fuzz/invariant.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <variant>
#include <vector>

using namespace catenary;
using api::http::Method;
using fuzz::require;

namespace {

constexpr std::array<std::string_view, 1> probes{"/healthz"};

server::net::GateLimits limits() {
    server::net::GateLimits limits;
    limits.header_bytes = 2048;
    limits.fields = 32;
    limits.body_bytes = 1'000'000;
    limits.probes = probes;
    return limits;
}

/// Lines that end wherever anybody could see an end of line.
std::vector<std::string> lenient_lines(std::string_view text) {
    std::vector<std::string> lines{""};
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' || text[i] == '\n') {
            if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
            lines.emplace_back();
        } else {
            lines.back() += text[i];
        }
    }
    return lines;
}

/// A field name as a reader takes it that ignores case and blanks, and to whom '_' is '-'.
std::string lenient_name(std::string_view line) {
    std::string name;
    for (const char c : line.substr(0, line.find(':'))) {
        if (c <= ' ') continue;
        name += c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    return name;
}

std::string without_blanks(std::string text) {
    std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
    return text;
}

void check(const server::net::RequestHead& head, std::string_view block) {
    const auto lines = lenient_lines(block);
    require(lines.size() >= 3 && lines.back().empty() && lines[lines.size() - 2].empty(), "a head ends in an empty line");
    require(std::count(lines.begin(), lines.end(), "") == 2, "a head has no empty line but its end");
    require(head.target.data() >= block.data() && head.target.data() + head.target.size() <= block.data() + lines[0].size(),
            "the target is part of the first line");
    require(head.target.starts_with('/') && head.target.find_first_of(" \t#") == std::string_view::npos, "the target has one meaning");
    int hosts = 0;
    std::vector<std::string> lengths;
    for (std::size_t i = 1; i + 2 < lines.size(); ++i) {
        const auto& line = lines[i];
        require(line.find(':') != std::string::npos && line.front() != ' ' && line.front() != '\t', "every field is a line of its own");
        const auto name = lenient_name(line);
        require(name != "transfer-encoding", "no reader finds a transfer coding");
        if (name == "content-length") lengths.push_back(without_blanks(line.substr(line.find(':') + 1)));
        hosts += name == "host" ? 1 : 0;
    }
    require(hosts == 1 || (hosts == 0 && lines[0].ends_with("HTTP/1.0")), "there is one host");
    require(lengths.size() <= 1, "no reader finds two lengths");
    const bool needs_length = head.method == Method::post || head.method == Method::put || head.method == Method::patch;
    require(!lengths.empty() || !needs_length, "a method with a body has a length");
    require(lengths.empty() ? head.body_bytes == 0 : std::stoull(lengths[0]) == head.body_bytes, "the length is the one that is written");
    require(lengths.empty() || lengths[0].find_first_not_of("0123456789") == std::string::npos, "a length is digits");
    require(head.body_bytes <= limits().body_bytes, "the length is within its limit");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto block = fuzz::text_of(data, size);
    const auto verdict = server::net::examine(block, limits());
    if (const auto* head = std::get_if<server::net::RequestHead>(&verdict)) {
        check(*head, block);
    } else {
        require(!std::get<server::net::GateRefusal>(verdict).detail.empty(), "a refusal says why");
    }
    return 0;
}
