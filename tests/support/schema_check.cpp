#include "tests/support/schema_check.hpp"

#include "api/documents/yaml.hpp"
#include "api/embedded.hpp"
#include "api/json/time_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <regex>
#include <set>
#include <stdexcept>

namespace catenary::tests {

using nlohmann::json;

namespace {

bool has_type(const json& value, const std::string& type) {
    if (type == "null") return value.is_null();
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    return false;
}

class Check {
public:
    void run(const json& value, const json& unresolved, const std::string& place) {
        const auto& schema = resolved(unresolved);
        static const std::set<std::string> known{"type",          "enum",          "required",    "properties", "additionalProperties",
                                                 "items",         "minItems",      "maxItems",    "minimum",    "maximum",
                                                 "minLength",     "maxLength",     "oneOf",       "anyOf",      "format",
                                                 "minProperties", "maxProperties", "description", "default"};
        for (const auto& [keyword, unused] : schema.items()) {
            if (!known.contains(keyword)) say(place, "the checker does not know the keyword " + keyword);
        }
        if (!type_holds(value, schema)) return say(place, "is " + value.dump() + ", not of type " + schema["type"].dump());
        if (schema.contains("enum") && std::ranges::find(schema["enum"], value) == schema["enum"].end())
            say(place, value.dump() + " is none of " + schema["enum"].dump());
        one_of(value, schema, place);
        any_of(value, schema, place);
        if (value.is_object()) object(value, schema, place);
        if (value.is_array()) array(value, schema, place);
        if (value.is_number()) bounds(value.get<double>(), schema, "minimum", "maximum", place);
        if (value.is_string()) string(value.get<std::string>(), schema, place);
    }
    std::vector<std::string> violations;

private:
    void say(const std::string& place, const std::string& what) { violations.push_back((place.empty() ? "/" : place) + ": " + what); }

    static bool type_holds(const json& value, const json& schema) {
        const auto it = schema.find("type");
        if (it == schema.end()) return true;
        if (it->is_string()) return has_type(value, it->get<std::string>());
        return std::ranges::any_of(*it, [&value](const json& type) { return has_type(value, type.get<std::string>()); });
    }
    void bounds(double size, const json& schema, const char* least, const char* most, const std::string& place) {
        if (schema.contains(least) && size < schema[least].get<double>()) say(place, std::string{"is below "} + least);
        if (schema.contains(most) && size > schema[most].get<double>()) say(place, std::string{"is above "} + most);
    }
    void one_of(const json& value, const json& schema, const std::string& place) {
        const auto it = schema.find("oneOf");
        if (it == schema.end()) return;
        const auto holds = std::ranges::count_if(*it, [&](const json& choice) { return schema_violations(value, choice).empty(); });
        if (holds != 1) say(place, std::to_string(holds) + " schemas of oneOf hold");
    }
    void any_of(const json& value, const json& schema, const std::string& place) {
        const auto it = schema.find("anyOf");
        if (it == schema.end()) return;
        if (std::ranges::none_of(*it, [&](const json& choice) { return schema_violations(value, choice).empty(); })) say(place, "no schema of anyOf holds");
    }
    void object(const json& value, const json& schema, const std::string& place) {
        bounds(static_cast<double>(value.size()), schema, "minProperties", "maxProperties", place);
        if (schema.contains("required")) {
            for (const auto& name : schema["required"]) {
                if (!value.contains(name.get<std::string>())) say(place, "lacks " + name.dump());
            }
        }
        const auto properties = schema.value("properties", json::object());
        for (const auto& [name, member] : value.items()) {
            if (properties.contains(name)) run(member, properties[name], place + "/" + name);
            else if (schema.contains("additionalProperties") && schema["additionalProperties"] == false) say(place, "has the unknown member " + name);
        }
    }
    void array(const json& value, const json& schema, const std::string& place) {
        bounds(static_cast<double>(value.size()), schema, "minItems", "maxItems", place);
        if (!schema.contains("items")) return;
        for (std::size_t i = 0; i < value.size(); ++i) run(value[i], schema["items"], place + "/" + std::to_string(i));
    }
    void string(const std::string& value, const json& schema, const std::string& place) {
        bounds(static_cast<double>(value.size()), schema, "minLength", "maxLength", place);
        const auto format = schema.value("format", "");
        static const std::regex uuid{"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"};
        if (format == "date-time" && !(api::json::parse_time(value) && value.ends_with('Z'))) say(place, value + " is no time in UTC");
        if (format == "uuid" && !std::regex_match(value, uuid)) say(place, value + " is no UUID");
        if (!format.empty() && format != "date-time" && format != "uuid") say(place, "the checker does not know the format " + format);
    }
};

const json* response_of(std::string_view path, std::string_view method, int status) {
    const auto& paths = contract().at("paths");
    const auto item = paths.find(path);
    if (item == paths.end() || !item->contains(method)) return nullptr;
    const auto& responses = item->at(std::string{method}).at("responses");
    if (const auto found = responses.find(std::to_string(status)); found != responses.end()) return &resolved(*found);
    const auto otherwise = responses.find("default");  // any problem
    return status >= 400 && otherwise != responses.end() ? &resolved(*otherwise) : nullptr;
}

}  // namespace

const json& resolved(const json& value) {
    const auto it = value.find("$ref");
    if (it == value.end()) return value;
    return resolved(contract().at(json::json_pointer(it->get_ref<const std::string&>().substr(1))));
}

const json& contract() {
    static const auto document = [] {
        const auto files = api::embedded_files();
        const auto file = std::ranges::find(files, "openapi.yaml", &api::EmbeddedFile::path);
        if (file == files.end()) throw std::runtime_error("openapi.yaml is not embedded");
        engine::Faults faults;
        auto value = api::documents::read_yaml(file->text, {.bytes = 1 << 20, .depth = 32, .values = 100'000, .key_bytes = 256}, faults);
        if (!faults.empty()) throw std::runtime_error("openapi.yaml: " + faults.front().pointer + ": " + faults.front().detail);
        return value;
    }();
    return document;
}

std::vector<std::string> schema_violations(const json& value, const json& schema) {
    Check check;
    check.run(value, schema, "");
    return std::move(check.violations);
}

json reply_schema(std::string_view path, std::string_view method, int status, std::string_view content_type) {
    const auto* response = response_of(path, method, status);
    if (response == nullptr || !response->contains("content")) return nullptr;
    const auto& content = response->at("content");
    const auto media = content.find(content_type);
    return media == content.end() ? json(nullptr) : media->at("schema");
}

bool contract_knows_status(std::string_view path, std::string_view method, int status) { return response_of(path, method, status) != nullptr; }

}  // namespace catenary::tests
