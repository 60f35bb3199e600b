#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::adapters {

/// A value somewhere in a foreign record, or nothing. Taking it says that the neutral signal holds all of it; what nobody takes is left in the rest.
/// Points into its Record.
class Node {
public:
    Node() = default;
    Node(nlohmann::json& value, std::string pointer) : value_{&value}, pointer_{std::move(pointer)} {}

    /// Neither absent nor null nor taken.
    explicit operator bool() const;
    /// Below, by member names joined with dots. A record may also hold such a path as one flat member name, or parts of it.
    Node at(std::string_view path) const;
    /// The items of a list; a value that is no list is its own only item; nothing has none.
    std::vector<Node> items() const;

    /// A string that is not empty, or a number as text.
    std::optional<std::string> text() const;
    std::optional<double> number() const;
    std::optional<std::int64_t> integer() const;

    const nlohmann::json& value() const { return *value_; }
    /// Where it stands in the record as it was sent (RFC 6901).
    const std::string& pointer() const { return pointer_; }
    void take() const;

private:
    nlohmann::json* value_ = nullptr;
    std::string pointer_;
};

/// One foreign record, which what is taken disappears from.
class Record {
public:
    explicit Record(nlohmann::json value) : value_(std::move(value)) {}  // braces would make a list of it
    Record(const Record&) = delete;                                      // nodes point into it
    Record& operator=(const Record&) = delete;

    Node root() { return {value_, ""}; }
    /// What nobody took, without lists and objects that were emptied by taking. Lists and objects nested deeper than `depth` are given as JSON text.
    nlohmann::json rest(int depth) const;

private:
    nlohmann::json value_;
};

}  // namespace catenary::api::adapters
