#include "api/ingest/attributes.hpp"

#include "api/ingest/json_text.hpp"

#include <charconv>

namespace catenary::api::ingest {
namespace {

class LeafWalk {
public:
    LeafWalk(std::string_view json, const std::set<std::string>& paths) : in_{json}, paths_{paths} {}

    std::vector<engine::Attribute> leaves;

    void object(std::size_t depth) {
        const auto parent = path_.size();
        in_.take('{');
        while (in_.peek() == '"') {
            if (depth > 0) path_ += '.';
            append_name(in_.string());
            in_.take(':');
            value(depth);
            path_.resize(parent);
            if (!in_.take(',')) break;
        }
        in_.take('}');
    }

private:
    static constexpr std::size_t most_depth = 64;  // ingest admits 16; a bound of our own keeps damaged rows from the stack's end

    void value(std::size_t depth) {
        switch (in_.peek()) {
            case '{': return depth < most_depth ? object(depth + 1) : static_cast<void>(in_.value());
            case '[': return depth < most_depth ? list(depth + 1) : static_cast<void>(in_.value());
            case '"': return text(in_.string());
            case 'n': in_.scalar(); return;
            case 't':
            case 'f': return flag(in_.scalar());
            default: return number(in_.scalar());
        }
    }
    void list(std::size_t depth) {
        in_.take('[');
        while (in_.peek() != ']' && in_.peek() != '\0') {
            value(depth);
            if (!in_.take(',')) break;
        }
        in_.take(']');
    }
    void text(std::string_view raw) {
        if (!paths_.contains(path_)) return;
        std::string decoded;
        if (decode_text(raw, decoded) == TextFault::none) leaves.push_back({path_, std::move(decoded)});
    }
    void flag(std::string_view token) {
        if (paths_.contains(path_)) leaves.push_back({path_, token == "true"});
    }
    void number(std::string_view token) {
        if (!paths_.contains(path_)) return;
        double number = 0;
        const auto parsed = std::from_chars(token.data(), token.data() + token.size(), number);
        if (parsed.ec != std::errc::invalid_argument) leaves.push_back({path_, number});
    }
    void append_name(std::string_view raw) {
        std::string decoded;
        decode_text(raw, decoded);
        for (const char letter : decoded) {
            if (letter == '.' || letter == '\\') path_ += '\\';
            path_ += letter;
        }
    }

    MinifiedReader in_;
    const std::set<std::string>& paths_;
    std::string path_;
};

}  // namespace

std::vector<engine::Attribute> attribute_leaves(std::string_view json, const std::set<std::string>& paths) {
    if (paths.empty() || json.empty()) return {};
    LeafWalk walk{json, paths};
    walk.object(0);
    return std::move(walk.leaves);
}

}  // namespace catenary::api::ingest
