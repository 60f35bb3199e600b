#include "api/adapters/adapter.hpp"
#include "api/json/limits.hpp"
#include "api/json/time_json.hpp"
#include "tests/support/schema_check.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

using namespace catenary;
using api::adapters::Format;
namespace fs = std::filesystem;

namespace {

fs::path golden() {
    const char* source = std::getenv("CATENARY_SOURCE");
    REQUIRE_MESSAGE(source != nullptr, "CATENARY_SOURCE names the sources");
    return fs::path{source} / "tests/api/adapters/golden";
}

nlohmann::json read(const fs::path& file) {
    std::ifstream stream{file};
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    auto parsed = api::json::parse_document(text);
    REQUIRE_MESSAGE(std::holds_alternative<nlohmann::json>(parsed), file.string());
    return std::get<nlohmann::json>(std::move(parsed));
}

/// Every string of a value, in any place.
void collect_strings(const nlohmann::json& value, std::vector<std::string>& all) {
    if (value.is_string()) all.push_back(value.get<std::string>());
    if (!value.is_structured()) return;
    for (const auto& item : value) collect_strings(item, all);
}

/// Strings of the record that stand nowhere in the signal, also not as a part: "NE" and "p.lind" are in "NE\\p.lind".
std::vector<std::string> lost(const nlohmann::json& record, const nlohmann::json& signal) {
    std::vector<std::string> sent, kept, missing;
    collect_strings(record, sent);
    collect_strings(signal, kept);
    for (const auto& entity : signal["entities"]) kept.push_back(entity["kind"].get<std::string>() + ':' + entity["value"].get<std::string>());
    for (const auto& text : sent) {
        const auto holds = [&text](const std::string& other) { return other.find(text) != std::string::npos; };
        if (!api::json::parse_time(text) && std::ranges::none_of(kept, holds)) missing.push_back(text);  // times are written anew
    }
    return missing;
}

}  // namespace

TEST_CASE("each format's records become the signals that were written down for them") {
    const std::map<std::string, Format> formats{{"ocsf", Format::ocsf}, {"ecs", Format::ecs}, {"cloudevents", Format::cloudevents}};
    for (const auto& [name, format] : formats) {
        std::size_t records = 0;
        for (const auto& entry : fs::directory_iterator{golden() / name}) {
            const auto file = entry.path().string();
            if (!file.ends_with(".in.json")) continue;
            CAPTURE(file);
            const auto record = read(file);
            const auto adapted = api::adapters::adapt(format, record, "");
            for (const auto& fault : adapted.faults) FAIL_CHECK(fault.pointer << ": " << fault.detail);
            const nlohmann::json signal(adapted.signal);
            const auto expected = file.substr(0, file.size() - 8) + ".out.json";
            CHECK_MESSAGE(fs::exists(expected), adapted.signal.dump(1));
            if (fs::exists(expected)) CHECK_MESSAGE(signal == read(expected), adapted.signal.dump(1));
            for (const auto& violation : tests::schema_violations(signal, {{"$ref", "#/components/schemas/NewSignal"}})) FAIL_CHECK(violation);
            for (const auto& text : lost(record, signal)) CHECK_MESSAGE(text == record.value("specversion", ""), text << " is lost");
            ++records;
        }
        CHECK(records >= 2);
    }
}
