#include "engine/model/number_text.hpp"
#include "engine/predicate/predicate.hpp"
#include "engine/predicate/values.hpp"

namespace catenary::engine {
namespace {

struct PlainField {
    std::string_view written;
    Field::Kind kind;
};

constexpr PlainField plain_fields[] = {
    {"domain", Field::Kind::domain},         {"source", Field::Kind::source},       {"name", Field::Kind::name},
    {"tactic", Field::Kind::tactic},         {"technique", Field::Kind::technique}, {"severity", Field::Kind::severity},
    {"confidence", Field::Kind::confidence}, {"count", Field::Kind::count},
};
constexpr std::string_view attribute_prefix = "attributes.";
constexpr std::string_view entity_prefix = "entities.";

Fault unknown(std::string detail) { return {FaultCode::unknown_field, "", std::move(detail)}; }

/// Member names separated by dots, none empty; a backslash stands before a dot or backslash that belongs to a name (signal.hpp).
bool is_attribute_path(std::string_view path) {
    bool name_is_empty = true;
    for (std::size_t at = 0; at < path.size(); ++at) {
        if (path[at] == '.') {
            if (name_is_empty) return false;
            name_is_empty = true;
            continue;
        }
        if (path[at] == '\\' && (++at == path.size() || (path[at] != '.' && path[at] != '\\'))) return false;
        name_is_empty = false;
    }
    return !name_is_empty;
}

constexpr bool is_word_letter(char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'); }

/// As signals may write them.
bool is_entity_kind(std::string_view kind) {
    return !kind.empty() && is_word_letter(kind.front()) &&
           std::all_of(kind.begin(), kind.end(), [](char letter) { return is_word_letter(letter) || letter == '_' || letter == '.' || letter == '-'; });
}

}  // namespace

Result<Field> Field::parse(std::string_view written) {
    for (const auto& field : plain_fields) {
        if (field.written == written) return Field{field.kind, ""};
    }
    if (written.starts_with(attribute_prefix)) {
        const auto path = written.substr(attribute_prefix.size());
        if (is_attribute_path(path)) return Field{Kind::attribute, std::string(path)};
        return unknown(R"(an attribute path is member names with dots between them; "\." and "\\" stand for a dot and a backslash within a name)");
    }
    if (written.starts_with(entity_prefix)) {
        const auto kind = written.substr(entity_prefix.size());
        if (is_entity_kind(kind)) return Field{Kind::entity, std::string(kind)};
        return unknown("an entity kind is a lower-case word: a-z and 0-9, after the first also '_', '.' and '-'");
    }
    return unknown("fields are domain, source, name, tactic, technique, severity, confidence, count, attributes.<path> and entities.<kind>");
}

std::string Field::written() const {
    if (kind == Kind::attribute) return std::string(attribute_prefix) + path;
    if (kind == Kind::entity) return std::string(entity_prefix) + path;
    for (const auto& field : plain_fields) {
        if (field.kind == kind) return std::string(field.written);
    }
    return {};
}

std::vector<std::string> field_values(const Field& field, const SignalView& signal) {
    std::vector<std::string> values;
    switch (field.kind) {
        case Field::Kind::severity: values.emplace_back(to_string(signal.severity)); break;
        case Field::Kind::confidence: values.push_back(number_text(signal.confidence)); break;
        case Field::Kind::count: values.push_back(std::to_string(signal.count)); break;
        case Field::Kind::attribute:
            for (const auto& leaf : signal.attributes) {
                if (leaf.path == field.path) values.push_back(attribute_text(leaf.value));
            }
            break;
        default:
            any_text(field, signal, [&](std::string_view text) {
                if (!text.empty()) values.emplace_back(text);
                return false;  // on to the next
            });
    }
    return values;
}

std::string attribute_text(const AttributeValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* number = std::get_if<double>(&value)) return number_text(*number);
    return std::get<bool>(value) ? "true" : "false";
}

}  // namespace catenary::engine
