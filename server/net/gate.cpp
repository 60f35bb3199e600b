#include "server/net/gate.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace catenary::server::net {
namespace {

using api::http::Method;
using api::http::ProblemKind;

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view blanks = " \t";

/// RFC 9110 `tchar`.
constexpr std::array<bool, 256> token_characters = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view{"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"})
        table[static_cast<unsigned char>(c)] = true;
    return table;
}();

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return token_characters[static_cast<unsigned char>(c)]; });
}
bool is_visible(char c) { return c > 0x20 && c < 0x7f; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view without_blanks(std::string_view text) {
    const auto from = text.find_first_not_of(blanks);
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

Method method_of(std::string_view word) {
    constexpr std::array<std::pair<std::string_view, Method>, 6> known{
        {{"GET", Method::get}, {"POST", Method::post}, {"PUT", Method::put}, {"PATCH", Method::patch}, {"DELETE", Method::delete_}, {"HEAD", Method::head}}};
    for (const auto& [name, method] : known) {
        if (name == word) return method;
    }
    return Method::other;
}

/// CR only before LF, LF only after CR, no control byte but the blank HT.
bool has_stray_bytes(std::string_view block) {
    char before = 0;
    for (const char c : block) {
        if ((c == '\n') != (before == '\r')) return true;
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\r' && c != '\n' && c != '\t') || byte == 0x7f) return true;
        before = c;
    }
    return before == '\r';
}

/// A host and perhaps a port: nothing that separates lists, credentials or paths.
bool is_host(std::string_view value) {
    constexpr std::string_view separators = ",/\\@?#\"<>{}|^` ";
    return !value.empty() && std::all_of(value.begin(), value.end(), [&](char c) { return is_visible(c) && separators.find(c) == std::string_view::npos; });
}

/// The only value that matters to framing; the other options of Connection concern proxies.
bool lists_close(std::string_view value) {
    while (!value.empty()) {
        const auto comma = value.find(',');
        if (same_name(without_blanks(value.substr(0, comma)), "close")) return true;
        if (comma == std::string_view::npos) return false;
        value.remove_prefix(comma + 1);
    }
    return false;
}

/// Fields whose repetition would leave it to the reader which one counts.
bool is_singular(std::string_view name) {
    constexpr std::array<std::string_view, 9> singular{"host",   "content-length", "content-type",  "content-encoding", "authorization",
                                                       "expect", "if-match",       "if-none-match", "idempotency-key"};
    return std::any_of(singular.begin(), singular.end(), [&](std::string_view s) { return same_name(s, name); });
}

/// Names that some intermediaries take for the framing fields they resemble.
bool imitates_framing(std::string_view name) { return same_name(name, "content_length") || same_name(name, "transfer_encoding"); }

/// A header field as sent: the name in its spelling, the value without the blanks around it.
struct HeaderField {
    std::string_view name;
    std::string_view value;
};

class Examination {
public:
    explicit Examination(const GateLimits& limits) : limits_{limits} {}

    GateVerdict run(std::string_view block) {
        if (block.size() > limits_.header_bytes) return GateRefusal{ProblemKind::header_too_large, "the request head is larger than allowed"};
        if (has_stray_bytes(block)) return malformed("the request head holds a stray CR, LF or control byte");
        if (!block.ends_with("\r\n\r\n")) return malformed("the request head does not end in an empty line");
        block.remove_suffix(line_end.size());
        const auto first_end = block.find(line_end);
        if (const auto refusal = request_line(block.substr(0, first_end))) return *refusal;
        block.remove_prefix(first_end + line_end.size());
        while (!block.empty()) {
            const auto end = block.find(line_end);
            if (const auto refusal = field(block.substr(0, end))) return *refusal;
            block.remove_prefix(end + line_end.size());
        }
        if (const auto refusal = framing()) return *refusal;
        return head_;
    }

private:
    using Refusal = std::optional<GateRefusal>;
    static GateRefusal malformed(std::string_view detail) { return {ProblemKind::malformed_request, detail}; }

    Refusal request_line(std::string_view line) {
        const auto first = line.find(' ');
        const auto last = line.rfind(' ');
        if (first == std::string_view::npos || first == last) return malformed("the request line is not METHOD TARGET VERSION");
        const auto word = line.substr(0, first);
        head_.target = line.substr(first + 1, last - first - 1);
        const auto version = line.substr(last + 1);
        if (!is_token(word)) return malformed("the method is no token");
        head_.method = method_of(word);
        if (!head_.target.starts_with('/')) return malformed("the target must begin with '/'");
        if (!std::all_of(head_.target.begin(), head_.target.end(), is_visible)) return malformed("the target holds a byte that must be percent-encoded");
        if (head_.target.find('#') != std::string_view::npos) return malformed("the target holds a fragment");
        if (version == "HTTP/1.1") return {};
        is_old_ = version == "HTTP/1.0";
        if (!is_old_ || head_.method != Method::get || std::find(limits_.probes.begin(), limits_.probes.end(), head_.target) == limits_.probes.end()) {
            return malformed("only HTTP/1.1 is spoken here");
        }
        head_.closes = true;
        return {};
    }

    Refusal field(std::string_view line) {
        if (line.empty()) return malformed("the request head goes on after its empty line");
        if (blanks.find(line.front()) != std::string_view::npos) return malformed("folded header fields are not accepted");
        if (fields_.size() == limits_.fields) return GateRefusal{ProblemKind::header_too_large, "the request has too many header fields"};
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return malformed("a header line is not NAME: VALUE");
        const HeaderField added{line.substr(0, colon), without_blanks(line.substr(colon + 1))};
        if (same_name(added.name, "transfer-encoding"))
            return GateRefusal{ProblemKind::length_required, "send the body with Content-Length, without Transfer-Encoding"};
        if (imitates_framing(added.name)) return malformed("a header name imitates a framing field");
        if (is_singular(added.name)) {
            for (const auto& earlier : fields_) {
                if (same_name(earlier.name, added.name)) return malformed("a header field that must be single is repeated");
            }
        }
        if (same_name(added.name, "connection") && lists_close(added.value)) head_.closes = true;
        fields_.push_back(added);
        return {};
    }

    const HeaderField* find(std::string_view name) const {
        const auto at = std::find_if(fields_.begin(), fields_.end(), [&](const HeaderField& f) { return same_name(f.name, name); });
        return at == fields_.end() ? nullptr : &*at;
    }

    Refusal framing() {
        const auto* host = find("host");
        if (host == nullptr && !is_old_) return malformed("the Host field is missing");
        if (host != nullptr && !is_host(host->value)) return malformed("the Host field is no host");
        if (const auto* expect = find("expect")) {
            if (!same_name(expect->value, "100-continue")) return malformed("only 'Expect: 100-continue' is understood");
            head_.expects_continue = true;
        }
        const bool carries_body = head_.method == Method::post || head_.method == Method::put || head_.method == Method::patch;
        const auto* length = find("content-length");
        if (length == nullptr) {
            if (carries_body) return GateRefusal{ProblemKind::length_required, "Content-Length is required"};
            return {};
        }
        const auto digits = length->value;
        if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return malformed("Content-Length is not a number");
        const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), head_.body_bytes);
        if (parsed.ec != std::errc{} || head_.body_bytes > limits_.body_bytes) return GateRefusal{ProblemKind::too_large, "the body is larger than allowed"};
        const bool takes_body = carries_body || head_.method == Method::delete_;
        if (!takes_body && head_.body_bytes > 0) return malformed("this method takes no body");
        return {};
    }

    const GateLimits& limits_;
    RequestHead head_;
    std::vector<HeaderField> fields_;
    bool is_old_ = false;
};

}  // namespace

bool same_name(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) { return lower(a) == lower(b); });
}

GateVerdict examine(std::string_view header_block, const GateLimits& limits) { return Examination{limits}.run(header_block); }

}  // namespace catenary::server::net
