#pragma once

#include "api/ingest/member_reader.hpp"
#include "api/ingest/prepared.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::ingest {

/// Reads `entities`: canonical values, each (kind, value) once in posted order, with the texts that give back what was posted. Reused for every item.
class EntityReader {
public:
    EntityReader(MemberReader& members, const IngestLimits& limits) : members_{&members}, limits_{limits} {}

    struct Entities {
        std::span<const PreparedEntity> list;
        std::string_view shown;    ///< as PreparedSignal::shown
        std::string_view aliases;  ///< as PreparedSignal::aliases
    };
    Entities read(ondemand::value& value, const At& at);

private:
    struct Parts {
        std::string_view kind, value, role;
        std::string_view spelling;  ///< of `value`: its token in the body, with quotes
        std::string_view aliases;   ///< inside of their JSON list
    };
    void entity(ondemand::value& value, const At& at);
    void keep(const Parts& parts, const Place& place);
    std::string_view alias_list(ondemand::value& value, const At& at);
    void alias(ondemand::value& value, const At& at, std::string& list);
    std::string_view aliases_text();

    MemberReader* members_;
    IngestLimits limits_;
    std::vector<PreparedEntity> list_;
    std::vector<std::string_view> aliases_;  ///< of each of `list_`: the inside of its JSON list
    std::string shown_;
};

}  // namespace catenary::api::ingest
