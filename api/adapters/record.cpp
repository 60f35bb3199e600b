#include "api/adapters/record.hpp"

#include "api/json/number.hpp"
#include "api/json/pointer.hpp"

#include <fmt/format.h>

namespace catenary::api::adapters {

using nlohmann::json;

namespace {

/// Taken values; no parser makes them.
bool is_taken(const json& value) { return value.is_discarded(); }

/// False where nothing is left of the value. At depth 0 a list or object becomes text.
bool keep_rest(const json& from, json& to, int depth) {
    if (is_taken(from)) return false;
    if (!from.is_structured() || from.empty()) {
        to = from;
        return true;
    }
    json kept = from.is_array() ? json::array() : json::object();
    for (const auto& [name, item] : from.items()) {
        json rest;
        if (!keep_rest(item, rest, depth - 1)) continue;
        if (kept.is_array()) kept.push_back(std::move(rest));
        else kept[name] = std::move(rest);
    }
    if (kept.empty()) return false;
    to = depth == 0 ? json(kept.dump(-1, ' ', false, json::error_handler_t::replace)) : std::move(kept);
    return true;
}

}  // namespace

Node::operator bool() const { return value_ != nullptr && !value_->is_null() && !is_taken(*value_); }

Node Node::at(std::string_view path) const {
    if (!*this || !value_->is_object()) return {};
    for (auto end = path.size();; end = path.rfind('.', end - 1)) {  // the flat name first, then ever shorter beginnings of it
        if (const auto found = value_->find(path.substr(0, end)); found != value_->end()) {
            auto pointer = pointer_;
            api::json::append_token(pointer, path.substr(0, end));
            const Node node{*found, std::move(pointer)};
            const auto below = end == path.size() ? node : node.at(path.substr(end + 1));
            if (below) return below;
        }
        if (end == 0 || path.rfind('.', end - 1) == std::string_view::npos) return {};
    }
}

std::vector<Node> Node::items() const {
    std::vector<Node> all;
    if (!*this) return all;
    if (!value_->is_array()) return {*this};
    for (std::size_t i = 0; i < value_->size(); ++i) all.emplace_back((*value_)[i], fmt::format("{}/{}", pointer_, i));
    return all;
}

std::optional<std::string> Node::text() const {
    if (!*this) return std::nullopt;
    if (value_->is_string() && !value_->get_ref<const std::string&>().empty()) return value_->get<std::string>();
    if (value_->is_number()) return value_->dump();
    return std::nullopt;
}

std::optional<double> Node::number() const { return *this && value_->is_number() ? std::optional{value_->get<double>()} : std::nullopt; }

std::optional<std::int64_t> Node::integer() const { return *this && value_->is_number_integer() ? std::optional{value_->get<std::int64_t>()} : std::nullopt; }

void Node::take() const { *value_ = json(json::value_t::discarded); }

json Record::rest(int depth) const {
    json kept;
    return keep_rest(value_, kept, depth) ? kept : json::object();
}

}  // namespace catenary::api::adapters
