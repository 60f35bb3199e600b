#include "api/documents/document.hpp"
#include "api/documents/place.hpp"
#include "api/handlers/pattern_in_path.hpp"
#include "api/handlers/patterns.hpp"
#include "api/handlers/reply.hpp"
#include "api/sigma/sigma_export.hpp"
#include "api/sigma/sigma_import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace catenary::api::handlers {
namespace {

using engine::FaultCode;
using http::ProblemKind;
using ports::PatternVersion;

constexpr std::array<std::string_view, 1> formats{"sigma"};
constexpr std::size_t most_exported = 100;

nlohmann::ordered_json faults_json(const engine::Faults& faults) {
    auto errors = nlohmann::ordered_json::array();
    for (const auto& fault : faults) errors.push_back({{"pointer", fault.pointer}, {"code", to_string(fault.code)}, {"detail", fault.detail}});
    return errors;
}

nlohmann::ordered_json rule_json(const sigma::ImportedRule& rule, std::string_view status) {
    nlohmann::ordered_json body{{"rule", rule.rule}, {"status", status}};
    if (!rule.document.is_null()) body["document"] = nlohmann::ordered_json::parse(rule.document.dump());
    auto& losses = body["not_carried_over"] = nlohmann::ordered_json::array();
    for (const auto& loss : rule.not_carried_over) losses.push_back({{"pointer", loss.pointer}, {"detail", loss.detail}});
    body["errors"] = faults_json(rule.faults);
    return body;
}

/// Refuses the rules whose id is taken, by what there is or by a rule before. Before anything is written: with an Idempotency-Key all is one transaction.
std::optional<ports::Failure> refuse_taken(std::vector<sigma::ImportedRule>& rules, const Caller& caller, ports::Services& services) {
    const auto present = every_pattern(caller, services);
    if (!present) return present.error();
    std::set<std::string> taken;
    for (const auto& version : *present) taken.insert(version.id);
    for (auto& rule : rules) {
        if (!rule.faults.empty()) continue;
        const auto id = rule.document["id"].get<std::string>();
        if (auto fault = id_fault(id, rule.pointer)) rule.faults.push_back(*std::move(fault));
        else if (!taken.insert(id).second)
            rule.faults.push_back({FaultCode::conflict, rule.pointer, fmt::format("there is a pattern {} already", documents::in_quotes(id))});
    }
    return std::nullopt;
}

/// Stores a rule's pattern as POST /patterns would. A failure that concerns this rule alone becomes its fault.
std::optional<ports::Failure> store(sigma::ImportedRule& rule, const Caller& caller, ports::Services& services) {
    PatternVersion wanted;
    wanted.id = rule.document["id"].get<std::string>();
    wanted.document_json = rule.document.dump();
    const auto stored = services.patterns.add(caller, wanted, std::nullopt);
    if (stored) return std::nullopt;
    const auto& failure = stored.error();
    const bool is_its_own = failure.code == ports::FailureCode::conflict || failure.code == ports::FailureCode::invalid;
    if (!is_its_own || caller.effect_key != nullptr) return failure;  // of a keyed request the failure undid what was written before
    rule.faults.push_back({failure.code == ports::FailureCode::conflict ? FaultCode::conflict : FaultCode::too_large, rule.pointer, failure.detail});
    return std::nullopt;
}

/// The rules that a body holds, or why it holds none.
struct Rules {
    sigma::SigmaImport import;
    std::optional<http::Response> refusal;
};
Rules read_rules(const http::Request& request) {
    const auto refuse = [&](ProblemKind kind, std::string_view detail, const engine::Faults& faults = {}) {
        return Rules{{}, http::problem(request, kind, detail, faults)};
    };
    if (!request.content_encoding.empty() && request.content_encoding != "identity")
        return refuse(ProblemKind::unsupported_media_type, "this resource takes no content encoding");
    const auto syntax = documents::syntax_of(request.content_type);
    if (!syntax) return refuse(ProblemKind::unsupported_media_type, "accepted: application/json, application/yaml");
    if (request.body.size() > documents::DocumentLimits{}.bytes) return refuse(ProblemKind::too_large, "a document has at most 256 KiB");
    engine::Faults faults;
    bool is_single = false;
    const auto rules = sigma::read_rules(request.body, *syntax == documents::Syntax::yaml, faults, is_single);
    const bool unreadable = std::ranges::any_of(faults, [](const auto& fault) { return fault.code == FaultCode::malformed; });
    if (unreadable) return refuse(ProblemKind::malformed_request, "the body cannot be read", faults);
    if (!faults.empty()) return Rules{{}, invalid_document(request, faults)};
    auto import = sigma::import_rules(rules, is_single);
    if (import.rules.empty()) {
        faults.push_back({FaultCode::missing, "",
                          "there is no correlation rule; rules that select log records become signals of their name, which another rule correlates"});
        return Rules{{}, invalid_document(request, faults)};
    }
    return {std::move(import), std::nullopt};
}

}  // namespace

http::Response import_patterns(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    query.word("format", formats);
    const bool dry_run = query.flag("dry_run");
    if (auto refusal = query.refusal()) return *refusal;
    auto read = read_rules(request);
    if (read.refusal) return *read.refusal;

    if (const auto failure = refuse_taken(read.import.rules, caller, services)) return failure_reply(request, *failure);
    nlohmann::ordered_json body;
    auto& items = body["items"] = nlohmann::ordered_json::array();
    engine::Faults all;
    std::size_t refused = 0;
    for (auto& rule : read.import.rules) {
        if (rule.faults.empty() && !dry_run) {
            if (const auto failure = store(rule, caller, services)) return failure_reply(request, *failure);
        }
        if (!rule.faults.empty()) ++refused;
        for (const auto& fault : rule.faults) {
            if (all.size() < documents::Place::most_faults) all.push_back(fault);
        }
        items.push_back(rule_json(rule, !rule.faults.empty() ? "refused" : dry_run ? "valid" : "created"));
    }
    if (refused == read.import.rules.size()) return invalid_document(request, all);
    body["imported"] = read.import.rules.size() - refused;
    body["refused"] = refused;
    auto& signals = body["signals"] = nlohmann::ordered_json::array();
    for (const auto& signal : read.import.signals) {
        nlohmann::ordered_json one{{"rule", signal.rule}};
        if (!signal.name.empty()) one["name"] = signal.name;
        one["defined"] = signal.defined;
        signals.push_back(std::move(one));
    }
    return json_reply(refused == 0 ? 200 : 207, body);
}

http::Response export_patterns(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    query.word("format", formats);
    const auto ids = query.many("id");
    if (ids.size() > most_exported) query.fault("id", FaultCode::too_large, fmt::format("at most {} patterns at once", most_exported));
    if (auto refusal = query.refusal()) return *refusal;
    std::vector<PatternVersion> wanted;
    if (ids.empty()) {
        auto all = every_pattern(caller, services);
        if (!all) return failure_reply(request, all.error());
        wanted = *std::move(all);
    }
    for (const auto& id : ids) {
        auto found = find_pattern(id, caller, services);
        if (!found) return failure_reply(request, found.error());
        wanted.push_back(*std::move(found));
    }
    std::string text;
    std::string left_out;
    engine::Faults faults;
    for (const auto& version : wanted) {
        const auto document = documents::pattern_from_json(nlohmann::json::parse(version.document_json));
        if (!document) return http::problem(request, ProblemKind::internal, "a stored document cannot be read");
        const auto rules = sigma::export_pattern(*document);
        if (rules.faults.empty()) text += (text.empty() ? "" : "---\n") + rules.text;
        else if (ids.empty()) left_out += fmt::format("# {}: {} {}\n", version.id, rules.faults.front().pointer, rules.faults.front().detail);
        for (const auto& fault : rules.faults) {
            if (faults.size() < documents::Place::most_faults) faults.push_back({fault.code, fault.pointer, fmt::format("{}: {}", version.id, fault.detail)});
        }
    }
    if (!ids.empty() && !faults.empty()) return http::problem(request, ProblemKind::invalid_document, "Sigma has no word for a part of it", faults);
    if (!left_out.empty()) text = "# left out, since Sigma has no word for a part of them:\n" + left_out + text;
    return {200, "text/plain", {}, std::move(text)};  // a stream of documents, which readers of one YAML document refuse
}

}  // namespace catenary::api::handlers
