#include "api/json/limits.hpp"

#include "api/json/number.hpp"
#include "api/json/pointer.hpp"
#include "engine/model/result.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace catenary::api::json {
namespace {

using engine::FaultCode;
using Json = nlohmann::json;

constexpr std::size_t most_faults = 100;

/// nlohmann's words after "syntax error while parsing value - ", without its echo of the input; "" when it has none.
std::string_view reason_in(std::string_view what) {
    const auto from = what.find(" - ");
    if (from == std::string_view::npos) return {};
    return what.substr(from + 3, what.find("; last read") - from - 3);
}

/// Watches a JSON text stream past and keeps nothing of it but where it is. A callback that returns false ends the stream.
class Gate {
public:
    Gate(std::string_view body, const JsonLimits& limits) : body_{body}, limits_{limits} {}

    engine::Faults faults;

    bool null() { return value(); }
    bool boolean(bool) { return value(); }
    bool number_integer(Json::number_integer_t number) { return integer(std::to_string(number)); }
    bool number_unsigned(Json::number_unsigned_t number) { return integer(std::to_string(number)); }
    bool number_float(Json::number_float_t, const Json::string_t& token) { return integer(token); }
    bool string(const Json::string_t& text) {
        if (!value()) return false;
        if (text.size() > limits_.string_bytes) {
            fault(FaultCode::too_large, fmt::format("a string of {} bytes; at most {} are allowed", text.size(), limits_.string_bytes));
        }
        if (text.find('\0') != std::string::npos) fault(FaultCode::malformed, "strings must not hold the character U+0000");
        return true;
    }
    bool binary(const Json::binary_t&) { return value(); }
    bool start_object(std::size_t) { return enter(true); }
    bool start_array(std::size_t) { return enter(false); }
    bool end_object() { return leave(); }
    bool end_array() { return leave(); }
    bool key(const Json::string_t& name) {
        auto& frame = frames_.back();
        frame.name = name.substr(0, limits_.key_bytes);
        frame.entered = true;
        if (name.size() > limits_.key_bytes) {
            fault(FaultCode::too_large, fmt::format("a member name of {} bytes; at most {} are allowed", name.size(), limits_.key_bytes));
        }
        if (name.find('\0') != std::string::npos) fault(FaultCode::malformed, "member names must not hold the character U+0000");
        if (frame.names.size() >= limits_.members) {
            fault(FaultCode::too_large, fmt::format("more than {} members in one object", limits_.members));
            return false;
        }
        if (!frame.names.insert(name).second) fault(FaultCode::conflict, "this member is given more than once");
        return true;
    }
    bool parse_error(std::size_t byte, const std::string& token, const Json::exception& error) {
        constexpr int number_out_of_range = 406;  // nlohmann's out_of_range.406
        if (error.id == number_out_of_range) {
            step();
            fault(FaultCode::out_of_range, fmt::format("{} is beyond the range of numbers", token.substr(0, 64)));
            return false;
        }
        const auto before = body_.substr(0, std::min(byte, body_.size()));
        const auto line = std::count(before.begin(), before.end(), '\n') + 1;
        const auto reason = reason_in(error.what());
        fault(FaultCode::malformed, fmt::format("no valid JSON at byte {} (line {}){}{}", byte, line, reason.empty() ? "" : ": ", reason));
        return false;
    }

private:
    struct Frame {
        bool object;
        bool entered = false;   ///< a member or item
        std::size_t index = 0;  ///< of the item last entered, plus one
        std::string name;       ///< of the member last entered
        std::set<std::string, std::less<>> names;
    };

    void step() {
        if (frames_.empty() || frames_.back().object) return;
        ++frames_.back().index;
        frames_.back().entered = true;
    }
    bool value() {
        step();
        if (++values_ <= limits_.values) return true;
        fault(FaultCode::too_large, fmt::format("more than {} values in one document", limits_.values));
        return false;
    }
    bool integer(const std::string& token) {
        if (!value()) return false;
        if (!is_exact_number(token)) {
            fault(FaultCode::out_of_range, fmt::format("{} cannot be held exactly; whole numbers beyond 2^53 are strings", token.substr(0, 64)));
        }
        return true;
    }
    bool enter(bool object) {
        if (!value()) return false;
        if (frames_.size() >= limits_.depth) {
            fault(FaultCode::too_large, fmt::format("lists and objects nested more than {} deep", limits_.depth));
            return false;
        }
        frames_.push_back({object, false, 0, {}, {}});
        return true;
    }
    bool leave() {
        frames_.pop_back();
        return true;
    }
    void fault(FaultCode code, std::string detail) {
        if (faults.size() >= most_faults) return;
        std::string pointer;
        for (const auto& frame : frames_) {
            if (frame.entered) append_token(pointer, frame.object ? frame.name : std::to_string(frame.index - 1));
        }
        faults.push_back({code, std::move(pointer), std::move(detail)});
    }

    std::string_view body_;
    JsonLimits limits_;
    std::size_t values_ = 0;
    std::vector<Frame> frames_;
};

}  // namespace

ParsedJson parse_document(std::string_view body, const JsonLimits& limits) {
    if (body.size() > limits.bytes) {
        return engine::Faults{{FaultCode::too_large, "", fmt::format("a document of {} bytes; at most {} are allowed", body.size(), limits.bytes)}};
    }
    Gate gate{body, limits};
    if (!Json::sax_parse(body, &gate) && gate.faults.empty()) gate.faults.push_back({FaultCode::malformed, "", "no valid JSON"});
    // The library takes a NUL for the end of the text and never looks at what follows it.
    if (gate.faults.empty() && body.find('\0') != std::string_view::npos) gate.faults.push_back({FaultCode::malformed, "", "a NUL follows after the value"});
    if (!gate.faults.empty()) return std::move(gate.faults);
    return Json::parse(body);
}

}  // namespace catenary::api::json
