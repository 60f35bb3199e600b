#include "tests/e2e/incident_story.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace catenary::tests {

std::string incident_story(int number) {
    const auto signal = [&](const char* source, const char* domain, const char* name, const char* time) {
        return nlohmann::json{{"id", fmt::format("{}-{}", source, number)},
                              {"source", source},
                              {"time", time},
                              {"domain", domain},
                              {"name", name},
                              {"severity", "medium"},
                              {"confidence", 0.35},
                              {"entities", {{{"kind", "account"}, {"value", fmt::format("user{}@ne.example", number)}, {"role", "actor"}}}}}
                   .dump() +
               "\n";
    };
    return signal("entra_id", "identity", "impossible_travel", "2026-03-05T09:47:11Z") +
           signal("exchange", "email", "suspicious_inbox_rule", "2026-03-05T10:10:00Z");
}

}  // namespace catenary::tests
