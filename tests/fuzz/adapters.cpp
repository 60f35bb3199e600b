// Records of other formats: whatever comes, each record is one signal or is refused with reasons, the same every time, and what a dry run shows is what would be
// stored.
#include "api/adapters/posted.hpp"
#include "api/ingest/content.hpp"
#include "api/json/utf8.hpp"
#include "tests/api/ingest/posting.hpp"
#include "tests/fuzz/invariant.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <map>
#include <string>
#include <utility>

using namespace catenary;
using api::adapters::Format;
using api::ingest::PreparedBatch;
using api::ingest::PreparedSignal;
using fuzz::require;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::array formats{std::pair{Format::ocsf, "ocsf"}, std::pair{Format::ecs, "ecs"}, std::pair{Format::cloudevents, "cloudevents"}};

api::ingest::Preparation prepared(Format format, const api::http::Request& request) {
    return api::adapters::prepare(format, request, {}, tests::posting_time, api::ingest::IngestLimits{});
}

std::string content(const PreparedSignal& signal) {
    std::string bytes;
    api::ingest::content_bytes(signal, bytes);
    return bytes;
}

void check_texts(const PreparedSignal& signal) {
    require(!signal.id.empty() && !signal.source.empty() && !signal.domain.empty() && !signal.name.empty(), "a signal has its names");
    require(signal.confidence >= 0 && signal.confidence <= 1 && signal.count >= 1, "numbers are within their ranges");
    for (const auto text : {signal.id, signal.source, signal.domain, signal.name, signal.title, signal.attributes, signal.shown, signal.aliases}) {
        require(api::json::is_utf8(text) && text.find('\0') == std::string_view::npos, "texts are UTF-8 without NUL");
    }
    require(signal.attributes.empty() || Json::accept(signal.attributes), "attributes are JSON");
}

/// Each signal is the one that was shown, and posting that one gives it again.
void check_shown(const PreparedBatch& batch, const api::http::Response& shown) {
    require(shown.status == 200, "what can be stored can be shown");
    std::map<std::uint32_t, Json> items;
    const auto body = Json::parse(shown.body);
    for (const auto& item : body["items"]) items.emplace(item["index"].get<std::uint32_t>(), item);
    require(items.size() == batch.signals.size() + batch.refused.size(), "every record is shown once");
    for (const auto& signal : batch.signals) {
        const auto& item = items.at(signal.index);
        require(!item.contains("errors"), "what is accepted has no errors");
        const auto posted = tests::prepared(tests::post(item["signal"].dump()));
        require(posted.batch && posted.batch->signals.size() == 1, "what is shown can be posted");
        require(posted.batch->signals[0].id == signal.id && content(posted.batch->signals[0]) == content(signal), "and is the same signal");
    }
    for (const auto& refused : batch.refused) require(!items.at(refused.index)["errors"].empty(), "what is refused has errors");
}

void check(Format format, api::http::Request request) {
    const auto first = prepared(format, request);
    require((first.batch != nullptr) != first.refusal.has_value(), "a body is taken or refused");
    if (!first.batch) return require(first.refusal->status >= 400 && Json::accept(first.refusal->body), "a refusal is a problem");
    const auto second = prepared(format, request);
    require(second.batch && second.batch->signals.size() == first.batch->signals.size(), "the same body gives the same signals");
    for (std::size_t i = 0; i < first.batch->signals.size(); ++i) {
        const auto& signal = first.batch->signals[i];
        check_texts(signal);
        require(content(signal) == content(second.batch->signals[i]) && signal.id == second.batch->signals[i].id, "the same record gives the same signal");
    }
    for (const auto& refused : first.batch->refused) {
        require(!refused.errors.empty(), "a refused record says why");
        for (const auto& fault : refused.errors) require(!fault.detail.empty() && (fault.pointer.empty() || fault.pointer[0] == '/'), "a fault says where");
    }
    if (first.batch->single) require(first.batch->signals.size() + first.batch->refused.size() == 1, "one record is one item");
    request.query = {{"dry_run", "true"}};
    const auto shown = prepared(format, request);
    require(!shown.batch && shown.refusal, "a dry run leaves nothing to store");
    check_shown(*first.batch, *shown.refusal);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string body{fuzz::text_of(data, size)};
    for (const auto& [format, word] : formats) {
        for (const auto* type : {"application/json", "application/x-ndjson"}) {
            auto request = tests::post(body, type);
            request.segments = {"api", "v1", "ingest", word};
            require(api::adapters::format_in_path(request) == format, "a format has a path");
            check(format, std::move(request));
        }
    }
    return 0;
}
