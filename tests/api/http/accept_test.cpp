#include "api/http/accept.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("YAML is preferred where it is named, and JSON is named less") {
    using catenary::api::http::prefers_yaml;
    for (const auto* yes : {"application/yaml", "text/yaml", "Application/YAML; charset=utf-8", "application/yaml, */*",
                            "application/json;q=0.5, application/yaml;q=0.8", "application/yaml;q=0.001", "text/html , application/x-yaml"}) {
        CAPTURE(std::string{yes});
        CHECK(prefers_yaml(yes));
    }
    for (const auto* no : {"", "*/*", "application/json", "application/json, application/yaml", "application/yaml;q=0",
                           "application/yaml;q=0.4, application/json;q=0.5", ",;,", "yaml"}) {
        CAPTURE(std::string{no});
        CHECK_FALSE(prefers_yaml(no));
    }
}
