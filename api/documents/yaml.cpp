#include "api/documents/yaml.hpp"

#include "api/documents/place.hpp"
#include "api/json/number.hpp"
#include "api/json/utf8.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <deque>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace catenary::api::documents {

using engine::FaultCode;
using nlohmann::json;

namespace {

/// Ends parsing where going on would cost too much; the fault is recorded already.
struct Stop {};

/// Whether JSON would read this text as a number; the library's own check takes the whole text.
bool looks_like_number(const std::string& text) {
    const auto first = text.empty() ? '\0' : text[0];
    return (first == '-' || (first >= '0' && first <= '9')) && text.size() <= 64 && json::accept(text);
}

/// Builds the JSON while the parser goes through the text, so that nothing is built that a limit forbids.
class Builder final : public YAML::EventHandler {
public:
    /// `root`: pointer of the document within what is read.
    Builder(const DocumentLimits& limits, engine::Faults& faults, std::string root = {}) : limits_{limits}, faults_{faults}, root_pointer_{std::move(root)} {}

    json take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuse_anchor(mark, anchor);
        put(mark, nullptr);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { stop(mark, FaultCode::unsupported, "aliases are not accepted; write the value out"); }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& text) override {
        refuse_anchor(mark, anchor);
        if (text.find('\0') != std::string::npos) stop(mark, FaultCode::malformed, "a string holds the character NUL");
        if (awaits_key()) return open_member(mark, tag, text);
        put(mark, scalar(mark, tag, text));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, json::array());
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, json::object());
    }
    void OnMapEnd() override { close(); }

private:
    struct Level {
        json* container;
        std::optional<std::string> key;  ///< of the member whose value comes next; objects only
        bool repeated = false;           ///< that key has been seen: the value is read and dropped
    };

    bool awaits_key() const { return !levels_.empty() && levels_.back().container->is_object() && !levels_.back().key; }

    Place place() const {
        Place here{faults_, root_pointer_};
        for (const auto& level : levels_) {
            const bool open_inside = &level != &levels_.back();  // its last item is the container of the next level
            if (level.key) here = here.member(*level.key);
            else if (level.container->is_array()) here = here.item(level.container->size() - (open_inside ? 1 : 0));
        }
        return here;
    }
    void fault(const YAML::Mark& mark, FaultCode code, std::string_view detail) const {
        place().fault(code, fmt::format("{} (line {}, column {})", detail, mark.line + 1, mark.column + 1));
    }
    [[noreturn]] void stop(const YAML::Mark& mark, FaultCode code, std::string_view detail) const {
        fault(mark, code, detail);
        throw Stop{};
    }
    void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
        if (anchor != 0) stop(mark, FaultCode::unsupported, "anchors are not accepted; write the value out where it is used");
    }

    json scalar(const YAML::Mark& mark, const std::string& tag, const std::string& text) const {
        const bool plain = tag.empty() || tag == "?";
        if (!plain && tag != "!" && tag != "tag:yaml.org,2002:str") stop(mark, FaultCode::unsupported, "tags are not accepted");
        if (!plain) return text;
        if (text == "null" || text == "~" || text.empty()) return nullptr;
        if (text == "true" || text == "false") return text == "true";
        if (!looks_like_number(text)) return text;
        if (!api::json::is_exact_number(text)) fault(mark, FaultCode::out_of_range, "a whole number that cannot be held exactly; quote it if it is a name");
        return json::parse(text);
    }

    void open_member(const YAML::Mark& mark, const std::string& tag, const std::string& name) {
        auto& level = levels_.back();
        if (!tag.empty() && tag != "?" && tag != "!") stop(mark, FaultCode::unsupported, "tags are not accepted");
        if (name.size() > limits_.key_bytes) stop(mark, FaultCode::too_large, fmt::format("a key has more than {} bytes", limits_.key_bytes));
        level.key = name;
        level.repeated = level.container->contains(name);
        if (level.repeated) fault(mark, FaultCode::conflict, "the key " + in_quotes(name) + " occurs twice");
    }

    json* put(const YAML::Mark& mark, json value) {
        if (++values_ > limits_.values) stop(mark, FaultCode::too_large, fmt::format("the document has more than {} values", limits_.values));
        if (levels_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        auto& level = levels_.back();
        if (level.container->is_array()) {
            level.container->push_back(std::move(value));
            return &level.container->back();
        }
        if (!level.key) stop(mark, FaultCode::malformed, "a key must be a plain word or a string");
        auto& slot = level.repeated ? dropped_.emplace_back() : (*level.container)[*level.key];
        slot = std::move(value);
        if (!slot.is_structured()) level.key.reset();  // else when the container closes
        return &slot;
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, json container) {
        refuse_anchor(mark, anchor);
        if (!tag.empty() && tag != "?" && tag != "!") stop(mark, FaultCode::unsupported, "tags are not accepted");
        if (levels_.size() >= limits_.depth) stop(mark, FaultCode::too_large, fmt::format("the document is nested deeper than {} levels", limits_.depth));
        if (awaits_key()) stop(mark, FaultCode::malformed, "a key must be a plain word or a string");
        auto* placed = put(mark, std::move(container));
        levels_.push_back({placed, std::nullopt});
    }
    void close() {
        levels_.pop_back();
        if (!levels_.empty()) levels_.back().key.reset();
    }

    const DocumentLimits& limits_;
    engine::Faults& faults_;
    const std::string root_pointer_;
    json root_;
    std::vector<Level> levels_;  // pointers into root_ stay valid: a container does not grow while one of its children is open
    std::deque<json> dropped_;   // values of repeated keys
    std::size_t values_ = 0;
};

/// Gives `read` a parser of the text. False when the text is none, or `read` met something that ends parsing; the fault is recorded then.
template <class Read>
bool parsed(std::string_view body, const DocumentLimits& limits, const Place& place, Read&& read) {
    const auto refuse = [&](FaultCode code, std::string detail) {
        place.fault(code, std::move(detail));
        return false;
    };
    if (body.size() > limits.bytes) return refuse(FaultCode::too_large, fmt::format("a document has at most {} bytes", limits.bytes));
    if (!api::json::is_utf8(body)) return refuse(FaultCode::malformed, "the document is not UTF-8");
    if (body.find('\0') != std::string_view::npos) return refuse(FaultCode::malformed, "the document holds the character NUL");
    try {
        std::istringstream stream{std::string{body}};
        YAML::Parser parser{stream};
        read(parser);
        return true;
    } catch (const Stop&) {
        return false;
    } catch (const YAML::Exception& error) {
        return refuse(FaultCode::malformed, fmt::format("not YAML: {} (line {}, column {})", error.msg, error.mark.line + 1, error.mark.column + 1));
    }
}

}  // namespace

json read_yaml(std::string_view body, const DocumentLimits& limits, engine::Faults& faults) {
    const Place document{faults};
    const auto before = faults.size();
    json value;
    const auto read = [&](YAML::Parser& parser) {
        Builder builder{limits, faults};
        if (!parser.HandleNextDocument(builder)) return document.fault(FaultCode::malformed, "the document is empty");
        Builder second{limits, faults};
        if (parser.HandleNextDocument(second)) return document.fault(FaultCode::malformed, "one document at a time: there is a second one after \"---\"");
        value = builder.take();
    };
    return parsed(body, limits, document, read) && faults.size() == before ? value : json{};
}

std::vector<json> read_yaml_stream(std::string_view body, const DocumentLimits& limits, std::size_t most, engine::Faults& faults) {
    const Place place{faults};
    const auto before = faults.size();
    std::vector<json> documents;
    const auto read = [&](YAML::Parser& parser) {
        while (true) {
            Builder builder{limits, faults, fmt::format("/{}", documents.size())};
            if (!parser.HandleNextDocument(builder)) break;
            if (documents.size() == most) return place.fault(FaultCode::too_large, fmt::format("there are more than {} documents", most));
            documents.push_back(builder.take());
        }
        if (documents.empty()) place.fault(FaultCode::malformed, "there is no document");
    };
    if (!parsed(body, limits, place, read) || faults.size() != before) return {};
    return documents;
}

}  // namespace catenary::api::documents
