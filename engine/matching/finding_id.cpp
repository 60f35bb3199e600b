#include "engine/matching/finding_id.hpp"

#include <boost/uuid/name_generator_sha1.hpp>

#include <string>

namespace catenary::engine {
namespace {

// Drawn at random once; changing it renames every finding.
constexpr boost::uuids::uuid finding_namespace{{0x3b, 0x9f, 0x0c, 0x52, 0x7d, 0x1e, 0x4a, 0x86, 0x9c, 0x40, 0xd2, 0x6a, 0xe5, 0x17, 0xb8, 0x93}};

}  // namespace

FindingId finding_id(std::string_view identity, const SignalWindow& window, const FindingName& name) {
    std::string text{identity};
    text += '/';
    text += std::to_string(to_micros(window[name.anchor].time));
    text += '/';
    text += window.source(name.anchor);
    text += '/';
    text += window.id(name.anchor);
    if (name.late_start) {
        text += "/late/";
        text += std::to_string(to_micros(*name.late_start));
    }
    if (name.rank > 1) {
        text += '/';
        text += std::to_string(name.rank);
    }
    return FindingId{boost::uuids::name_generator_sha1{finding_namespace}(text)};
}

}  // namespace catenary::engine
