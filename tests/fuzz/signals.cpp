// Bodies of posted signals: what is accepted, written out again and read again is the same signal; no body does more than be refused.
#include "api/ingest/content.hpp"
#include "api/ingest/prepared.hpp"
#include "api/json/time_json.hpp"
#include "api/json/utf8.hpp"
#include "tests/api/ingest/posting.hpp"
#include "tests/fuzz/invariant.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using namespace catenary;
using api::ingest::PreparedBatch;
using api::ingest::PreparedSignal;
using fuzz::require;
using Json = nlohmann::json;

namespace {

std::string content(const PreparedSignal& signal) {
    std::string bytes;
    api::ingest::content_bytes(signal, bytes);
    return bytes;
}

std::string canonical(std::string_view json) {
    std::string text;
    api::ingest::canonical_json(json, text);
    return text;
}

/// As a client would post what the server has understood. `attributes`: JSON text, "" for none.
std::string written(const PreparedSignal& signal, std::string_view id, std::string_view attributes) {
    Json value{{"source", signal.source},        {"time", api::json::format_time(signal.time)},
               {"domain", signal.domain},        {"name", signal.name},
               {"tactics", signal.tactics},      {"techniques", signal.techniques},
               {"count", signal.count},          {"severity", engine::to_string(signal.severity)},
               {"confidence", signal.confidence}};
    if (!id.empty()) value["id"] = id;
    if (!signal.title.empty()) value["title"] = signal.title;
    const auto aliases = signal.aliases.empty() ? Json::object() : Json::parse(signal.aliases);
    for (std::size_t i = 0; i < signal.entities.size(); ++i) {
        const auto& entity = signal.entities[i];
        Json item{{"kind", entity.kind}, {"value", entity.value}};
        if (!entity.role.empty()) item["role"] = entity.role;
        if (aliases.contains(std::to_string(i))) item["aliases"] = aliases[std::to_string(i)];
        value["entities"].push_back(std::move(item));
    }
    auto text = value.dump();
    if (attributes.empty()) return text;
    text.pop_back();
    return text.append(R"(,"attributes":)").append(attributes) + "}";
}

void check(const PreparedSignal& signal) {
    require(!signal.id.empty() && !signal.source.empty() && !signal.domain.empty() && !signal.name.empty(), "a signal has its names");
    require(signal.confidence >= 0 && signal.confidence <= 1 && signal.count >= 1, "numbers are within their ranges");
    for (const auto text : {signal.id, signal.source, signal.domain, signal.name, signal.title, signal.attributes, signal.shown, signal.aliases}) {
        require(api::json::is_utf8(text) && text.find('\0') == std::string_view::npos, "texts are UTF-8 without NUL");
    }
    std::string attributes;
    if (!signal.attributes.empty()) {
        require(Json::accept(signal.attributes), "attributes are JSON");
        attributes = canonical(signal.attributes);
        require(canonical(attributes) == attributes, "a canonical text is its own");
        require(!signal.plain_attributes || attributes == signal.attributes, "attributes that are called canonical are");
    }
    require(signal.shown.empty() || Json::accept(signal.shown), "original spellings are JSON");

    const auto text = written(signal, signal.id, signal.attributes);
    if (text.size() > api::ingest::IngestLimits{}.signal_bytes) return;  // escapes made it longer than it was
    const auto again = tests::prepared(tests::post(text));
    require(again.batch && again.batch->refused.empty() && again.batch->signals.size() == 1, "what was accepted once is accepted again");
    const auto& second = again.batch->signals.front();
    require(second.id == signal.id && second.source == signal.source, "it keeps its key");
    require(content(second) == content(signal), "it keeps its content");
    for (std::size_t i = 0; i < signal.entities.size(); ++i) {
        require(second.entities[i].identifies == signal.entities[i].identifies, "a canonical name identifies whom the original did");
    }
    const auto anonymous = tests::prepared(tests::post(written(signal, "", signal.attributes)));
    const auto respelled = tests::prepared(tests::post(written(signal, "", attributes)));
    require(anonymous.batch && respelled.batch && anonymous.batch->signals.size() == 1 && respelled.batch->signals.size() == 1 &&
                anonymous.batch->signals[0].id == respelled.batch->signals[0].id,
            "the derived id does not depend on spelling");
}

void check(const api::http::Request& request) {
    const auto preparation = tests::prepared(request);
    require((preparation.batch != nullptr) != preparation.refusal.has_value(), "a body is taken or refused");
    if (!preparation.batch) return;
    const auto& batch = *preparation.batch;
    for (const auto& signal : batch.signals) check(signal);
    for (const auto& refused : batch.refused) require(!refused.errors.empty(), "a refused item says why");
    const std::vector<api::ingest::ItemOutcome> accepted(batch.signals.size());
    if (batch.single && batch.signals.size() + batch.refused.size() != 1) require(false, "one signal is one item");
    const auto response = api::ingest::render(request, batch, {api::ingest::CommitOutcome::State::committed, accepted});
    require(Json::accept(response.body), "the reply is JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string body{fuzz::text_of(data, size)};
    check(tests::post(body));
    check(tests::post(body, "application/x-ndjson"));
    return 0;
}
