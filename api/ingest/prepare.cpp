#include "api/http/problem.hpp"
#include "api/http/query.hpp"
#include "api/ingest/prepared.hpp"
#include "api/ingest/signal_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace catenary::api::ingest {
namespace {

using engine::FaultCode;
using http::ProblemKind;

constexpr std::string_view blanks = " \t\r";

/// A request that is refused as a whole: which problem, and what to say.
struct Refusal {
    ProblemKind kind;
    std::string detail;
};

std::string_view describe(simdjson::error_code error) {
    switch (error) {
        case simdjson::EMPTY: return "there is nothing in it";
        case simdjson::UTF8_ERROR: return "it is no valid UTF-8";
        case simdjson::UNESCAPED_CHARS: return "a string holds a control character that is not escaped";
        case simdjson::UNCLOSED_STRING: return "a string does not end";
        case simdjson::INCOMPLETE_ARRAY_OR_OBJECT: return "a list or an object does not end";
        case simdjson::NUMBER_ERROR: return "a number is malformed";
        case simdjson::TRAILING_CONTENT: return "something follows after the value";
        default: return "it does not follow the grammar";
    }
}

/// Throws unless the document has been read to its end.
void expect_end(ondemand::document& document) {
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) throw simdjson::simdjson_error(simdjson::TRAILING_CONTENT);
}

/// Splits one body into items and has each read.
class Framing {
public:
    Framing(PreparedBatch& batch, const Caller& caller, engine::Timestamp now, const IngestLimits& limits)
        : batch_{&batch}, limits_{limits}, reader_{batch, caller, now, limits} {}

    /// One signal or a list of signals.
    std::optional<Refusal> json() {
        try {
            auto document = parsed(batch_->body);
            const auto type = document.type().value();
            if (type == ondemand::json_type::object) {
                one(document);
                return std::nullopt;
            }
            if (type == ondemand::json_type::array) return list(document);
            return Refusal{ProblemKind::malformed_request, "the body is a signal (an object) or a list of signals"};
        } catch (const simdjson::simdjson_error& error) {
            const auto where = index_ > 0 ? fmt::format(", at or after item {}", index_ - 1) : std::string{};
            return Refusal{ProblemKind::malformed_request, fmt::format("the body is no valid JSON{}: {}", where, describe(error.error()))};
        }
    }

    /// One signal a line; a bad line is one refused item.
    std::optional<Refusal> lines() {
        std::string_view rest = batch_->body;
        while (!rest.empty()) {
            const auto end = rest.find('\n');
            auto text = rest.substr(0, end);
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
            text.remove_suffix(text.size() - std::min(text.find_last_not_of(blanks) + 1, text.size()));
            text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
            if (text.empty()) continue;
            if (index_ == limits_.signals) return too_many();
            line(text);
            ++index_;
        }
        return std::nullopt;
    }

private:
    /// `text` is a part of the body, so that what follows it is readable: the rest of the body and its padding.
    ondemand::document parsed(std::string_view text) {
        reader_.start(text);
        const auto offset = static_cast<std::size_t>(text.data() - batch_->body.data());
        return parser_.iterate(text.data(), text.size(), batch_->body.capacity() - offset).take_value();
    }

    void one(ondemand::document& document) {
        batch_->single = true;
        reader_.read(document.get_object().value());
        expect_end(document);
        reader_.keep(0, batch_->body.size());
    }

    std::optional<Refusal> list(ondemand::document& document) {
        for (ondemand::array entries = document.get_array().value(); auto entry : entries) {
            auto& item = taken(entry);
            if (index_ == limits_.signals) return too_many();
            const auto index = index_++;
            const char* const begin = item.raw_json_token().data();
            reader_.read(item);
            const char* end = document.current_location().value();
            while (end > begin && end[-1] <= ' ') --end;
            reader_.keep(index, static_cast<std::size_t>(end - begin));
        }
        expect_end(document);
        return std::nullopt;
    }

    void line(std::string_view text) {
        if (text.size() > limits_.signal_bytes) {
            return reader_.refuse(index_, FaultCode::too_large,
                                  fmt::format("the signal is {} bytes long; at most {} are allowed", text.size(), limits_.signal_bytes));
        }
        try {
            auto document = parsed(text);
            if (document.type().value() != ondemand::json_type::object) {
                return reader_.refuse(index_, FaultCode::wrong_type, "a signal is an object");
            }
            reader_.read(document.get_object().value());
            expect_end(document);
            reader_.keep(index_, text.size());
        } catch (const simdjson::simdjson_error& error) {
            reader_.refuse(index_, FaultCode::malformed, fmt::format("the line is no valid JSON: {}", describe(error.error())));
        }
    }

    Refusal too_many() const { return {ProblemKind::too_large, fmt::format("at most {} signals are allowed in one request", limits_.signals)}; }

    PreparedBatch* batch_;
    IngestLimits limits_;
    SignalReader reader_;
    ondemand::parser parser_;
    std::uint32_t index_ = 0;
};

/// What follows a body's end is read by the parser, and must be the same every time.
void pad(std::string& body) {
    const auto size = body.size();
    body.append(simdjson::SIMDJSON_PADDING, ' ');
    body.resize(size);
}

}  // namespace

Preparation prepare(http::Request& request, const Caller& caller, engine::Timestamp now, const IngestLimits& limits) {
    constexpr std::string_view results[] = {"all"};
    http::QueryReader query{request};
    query.word("results", results);
    if (auto refusal = query.refusal()) return {nullptr, std::move(refusal)};

    const bool lines = request.content_type == "application/x-ndjson";
    if (!lines && !request.content_type.empty() && request.content_type != "application/json") {
        return {nullptr, http::problem(request, ProblemKind::unsupported_media_type, "accepted are application/json and application/x-ndjson")};
    }
    auto batch = std::make_shared<PreparedBatch>();
    batch->body = std::move(request.body);
    pad(batch->body);
    constexpr std::size_t small_signal = 256;  // bytes; growing the list copies it
    batch->signals.reserve(std::min(limits.signals, batch->body.size() / small_signal + 1));
    Framing framing{*batch, caller, now, limits};
    if (const auto refusal = lines ? framing.lines() : framing.json()) return {nullptr, http::problem(request, refusal->kind, refusal->detail)};
    return {std::move(batch), std::nullopt};
}

}  // namespace catenary::api::ingest
