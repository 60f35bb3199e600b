// Bytes as damage to a saved state: the first chooses one of some states of random logs, each four that follow are one edit of it. What was damaged is
// refused or loads, and what loads can be saved. The checksum is made anew, or nothing else would be reached.
#include "engine/snapshot/lane_snapshot.hpp"
#include "tests/fuzz/invariant.hpp"
#include "tests/property/lane_log.hpp"

#include <string>
#include <vector>

using namespace catenary;

namespace {

constexpr std::uint32_t logs = 8;
constexpr int entries = 80;

struct Saved {
    property::LaneLog log;
    engine::Catalogue posted;
    std::string bytes;
};

const std::vector<Saved>& saved_states() {
    static const auto states = [] {
        std::vector<Saved> made;
        for (std::uint32_t seed = 0; seed < logs; ++seed) {
            auto log = property::random_lane_log(seed, entries);
            test::LaneStory story{log.shipped};
            for (const auto& entry : log.entries) story.entry(entry);
            story.take();
            auto posted = log.posted();
            made.push_back({std::move(log), std::move(posted), story.lane().save()});
        }
        return made;
    }();
    return states;
}

/// Two bytes say where, the third what is done, the fourth with which value.
void edit(std::string& bytes, const std::uint8_t* edit) {
    if (bytes.empty()) return;
    const auto at = (std::size_t{edit[0]} << 8U | edit[1]) * bytes.size() >> 16U;
    switch (edit[2] % 5) {
        case 0: bytes[at] = static_cast<char>(edit[3]); break;
        case 1: bytes[at] = static_cast<char>(bytes[at] + static_cast<char>(edit[3])); break;
        case 2: bytes.erase(at, edit[3] % 16 + 1); break;
        case 3: bytes.insert(at, edit[3] % 16 + 1, static_cast<char>(edit[2])); break;
        default: bytes.resize(at); break;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto& saved = saved_states()[data[0] % logs];
    auto bytes = saved.bytes.substr(0, saved.bytes.size() - engine::seal_of({}).size());
    for (std::size_t place = 1; place + 4 <= size; place += 4) edit(bytes, data + place);
    bytes += engine::seal_of(bytes);
    const auto lane = engine::Lane::load(saved.log.shipped, saved.posted, bytes);
    if (!lane) {
        fuzz::require(!lane.error().detail.empty(), "a refusal without a reason");
        return 0;
    }
    const auto again = lane->save();
    if (size < 5) fuzz::require(again == saved.bytes, "what was not damaged is saved as it was");
    return 0;
}
