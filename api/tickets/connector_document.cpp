#include "api/tickets/connector_document.hpp"

#include "api/documents/members.hpp"
#include "api/documents/stage_document.hpp"
#include "api/json/time_json.hpp"
#include "api/tickets/condition.hpp"
#include "api/tickets/target_document.hpp"
#include "api/tickets/target_url.hpp"
#include "api/tickets/ticket_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <stdexcept>

namespace catenary::api::tickets {

using documents::Place;
using engine::FaultCode;
using Json = nlohmann::json;
using namespace std::chrono_literals;

namespace {

constexpr std::array<std::string_view, 3> triggers{"created", "crossed", "reopened"};
constexpr std::array<std::string_view, 3> closings{"ignore", "propose", "apply"};
constexpr std::array<std::string_view, 4> severities{"informational", "low", "medium", "high"};
constexpr std::array<std::string_view, 3> statuses{"new", "active", "closed"};
constexpr std::array<std::string_view, 4> classifications{"true_positive", "benign_positive", "false_positive", "undetermined"};
constexpr std::array<std::string_view, 17> members{"kind",     "enabled",     "url",    "secrets",  "condition", "when",    "title",    "body", "priorities",
                                                   "statuses", "resolutions", "labels", "assignee", "console",   "closing", "comments", "poll"};
constexpr std::size_t most_title_bytes = 1'000;
constexpr std::size_t most_body_bytes = 20'000;
constexpr std::size_t most_labels = 20;
constexpr std::size_t most_states = 50;
constexpr std::size_t most_secret_bytes = 1'024;
constexpr std::size_t most_secrets = 4;
constexpr engine::Duration least_poll = 1s;
constexpr engine::Duration most_poll = 24h;
constexpr engine::Duration usual_poll = 60s;
constexpr std::string_view usual_title = "[{severity}] {title}";
constexpr std::string_view usual_body = "{what_happened}\n\n{why}\n\n{timeline}\n\n{entities}\n\n{attack}\n\n{link}\n";

/// {severity: word} and {status: word}.
template <class Key>
void read_map(const Place& place, const Json& value, std::span<const std::string_view> known, std::map<Key, std::string>& into) {
    if (documents::read_object(place, value, known) == nullptr) return;
    for (std::size_t i = 0; i < known.size(); ++i) {
        const auto* word = documents::given_member(value, known[i]);
        if (word == nullptr) continue;
        if (auto read = read_remote_word(place.member(known[i]), *word)) into[static_cast<Key>(i)] = *std::move(read);
    }
}

void read_resolutions(const Place& place, const Json& value, Connector& connector) {
    if (!value.is_object()) return place.fault(FaultCode::wrong_type, fmt::format("must be an object, not {}", documents::type_name(value)));
    if (value.size() > most_states) return place.fault(FaultCode::too_large, fmt::format("has at most {} members, not {}", most_states, value.size()));
    for (const auto& [state, word] : value.items()) {
        const auto at = place.member(state);
        if (state.empty() || state.size() > most_word_bytes) at.fault(FaultCode::out_of_range, fmt::format("a state has 1 to {} bytes", most_word_bytes));
        if (const auto index = documents::read_word(at, word, classifications)) connector.resolutions[state] = static_cast<engine::Classification>(*index);
    }
}

void read_when(const Place& place, const Json& value, Connector& connector) {
    if (documents::read_list(place, value, 1, triggers.size()) == nullptr) return;
    connector.when.clear();
    for (std::size_t i = 0; i < value.size(); ++i) {
        const auto index = documents::read_word(place.item(i), value[i], triggers);
        if (!index) continue;
        const auto trigger = static_cast<Trigger>(*index);
        if (std::ranges::find(connector.when, trigger) != connector.when.end()) place.item(i).fault(FaultCode::conflict, "this is in the list already");
        else connector.when.push_back(trigger);
    }
    std::ranges::sort(connector.when);
}

void read_labels(const Place& place, const Json& value, Connector& connector) {
    if (documents::read_list(place, value, 0, most_labels) == nullptr) return;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (auto label = documents::read_line(place.item(i), value[i], most_word_bytes)) connector.labels.push_back(*std::move(label));
    }
}

std::optional<std::string> read_address(const Place& place, const Json& value, bool root) {
    auto text = documents::read_line(place, value, most_url_bytes);
    if (!text) return std::nullopt;
    if (const auto wrong = fault_of_url(*text, root)) {
        place.fault(FaultCode::malformed, *wrong);
        return std::nullopt;
    }
    while (root && text->ends_with('/')) text->pop_back();
    return text;
}

void read_template(const Place& place, const Json& object, std::string_view name, std::string_view usual, std::size_t most,
                   std::span<const std::string_view> known, std::optional<TextTemplate>& into) {
    const auto* value = documents::given_member(object, name);
    const auto at = place.member(name);
    if (value == nullptr) {
        into = TextTemplate::parse(at, usual, known);
        return;
    }
    const auto text = name == "title" ? documents::read_line(at, *value, most) : documents::read_text(at, *value, most);
    if (text) into = TextTemplate::parse(at, *text, known);
}

void read_secret(const Place& place, bool signs, const Json& value, std::vector<std::string>& into) {
    auto secret = documents::read_line(place, value, most_secret_bytes);
    if (!secret) return;
    if (signs && !is_signing_secret(*secret)) {
        return place.fault(FaultCode::malformed, "must be whsec_ and 24 to 64 bytes in base64");
    }
    into.push_back(*std::move(secret));
}

/// The values themselves appear in no fault.
Secrets read_secrets(const Place& place, ConnectorKind kind, const Json& value) {
    Secrets secrets;
    auto names = secrets_of(kind);
    names.push_back(hook_secret);
    if (documents::read_object(place, value, names) == nullptr) return secrets;
    for (const auto name : names) {
        const auto* secret = name == hook_secret ? documents::given_member(value, name) : documents::required(place, value, name);
        if (secret == nullptr) continue;
        const auto at = place.member(name);
        const bool signs = name == hook_secret || kind == ConnectorKind::webhook;
        auto& values = secrets[std::string{name}];
        if (!signs || !secret->is_array()) {
            read_secret(at, signs, *secret, values);
            continue;
        }
        if (documents::read_list(at, *secret, 1, most_secrets) == nullptr) continue;
        for (std::size_t i = 0; i < secret->size(); ++i) read_secret(at.item(i), signs, (*secret)[i], values);
    }
    return secrets;
}

template <class Key>
void show_map(nlohmann::ordered_json& document, const char* name, const std::map<Key, std::string>& map) {
    if (map.empty()) return;
    auto& shown = document[name] = nlohmann::ordered_json::object();
    for (const auto& [key, word] : map) shown[std::string{engine::to_string(key)}] = word;
}

nlohmann::ordered_json normal_form(const Connector& connector, const Json& condition) {
    nlohmann::ordered_json document{{"kind", to_string(connector.kind)}, {"enabled", connector.enabled}, {"url", connector.url}, {"condition", condition}};
    auto& when = document["when"] = nlohmann::ordered_json::array();
    for (const auto trigger : connector.when) when.push_back(to_string(trigger));
    document["title"] = connector.title->text();
    document["body"] = connector.body->text();
    show_map(document, "priorities", connector.priorities);
    show_map(document, "statuses", connector.statuses);
    if (!connector.resolutions.empty()) {
        auto& shown = document["resolutions"] = nlohmann::ordered_json::object();
        for (const auto& [state, classification] : connector.resolutions) shown[state] = engine::to_string(classification);
    }
    if (!connector.labels.empty()) document["labels"] = connector.labels;
    if (!connector.assignee.empty()) document["assignee"] = connector.assignee;
    if (!connector.console.empty()) document["console"] = connector.console;
    document["closing"] = to_string(connector.closing);
    if (connector.kind == ConnectorKind::webhook) return document;
    document["comments"] = connector.comments;
    document["poll"] = json::format_span(connector.poll);
    show_target(document, connector);
    return document;
}

/// Members that only a ticket system has.
void refuse_of_webhook(const Place& place, const Json& body) {
    for (const auto* name : {"priorities", "statuses", "assignee", "comments", "poll"}) {
        if (documents::given_member(body, name) != nullptr) place.member(name).fault(FaultCode::conflict, "a webhook has no such thing: leave it out");
    }
}

/// What somebody's closing of a ticket leads to; of a webhook, by hook.
void read_closing(const Place& place, const Json& body, Connector& connector) {
    if (const auto* map = documents::given_member(body, "resolutions")) read_resolutions(place.member("resolutions"), *map, connector);
    const auto* word = documents::given_member(body, "closing");
    if (word == nullptr) return;
    if (const auto index = documents::read_word(place.member("closing"), *word, closings)) connector.closing = static_cast<Closing>(*index);
}

void read_ticket_system(const Place& place, const Json& body, Connector& connector) {
    if (const auto* map = documents::given_member(body, "priorities")) read_map(place.member("priorities"), *map, severities, connector.priorities);
    if (const auto* map = documents::given_member(body, "statuses")) read_map(place.member("statuses"), *map, statuses, connector.statuses);
    if (const auto* person = documents::given_member(body, "assignee")) connector.assignee = read_remote_word(place.member("assignee"), *person).value_or("");
    if (const auto* flag = documents::given_member(body, "comments"))
        connector.comments = documents::read_bool(place.member("comments"), *flag).value_or(false);
    if (const auto* span = documents::given_member(body, "poll")) {
        const auto at = place.member("poll");
        const auto poll = documents::read_span(at, *span);
        if (poll && (*poll < least_poll || *poll > most_poll)) {
            at.fault(FaultCode::out_of_range,
                     fmt::format("must be from {} to {}, not {}", json::format_span(least_poll), json::format_span(most_poll), json::format_span(*poll)));
        }
        connector.poll = poll.value_or(usual_poll);
    }
}

}  // namespace

std::string_view to_string(Trigger trigger) { return triggers[static_cast<std::size_t>(trigger)]; }
std::string_view to_string(Closing closing) { return closings[static_cast<std::size_t>(closing)]; }

bool Connector::opens_on(std::string_view cause) const {
    return std::ranges::any_of(when, [cause](Trigger trigger) { return to_string(trigger) == cause; });
}

std::vector<std::string_view> secrets_of(ConnectorKind kind) { return {facts_of(kind).secret}; }

ConnectorDocument connector_from_json(const Place& place, const Json& body) {
    ConnectorDocument read;
    auto& connector = read.connector;
    connector.when = {Trigger::created, Trigger::crossed};
    connector.poll = usual_poll;
    std::vector<std::string_view> known{members.begin(), members.end()};
    std::ranges::copy(kind_words().subspan(1), std::back_inserter(known));  // a webhook has no member for itself
    if (documents::read_object(place, body, known) == nullptr) return read;
    std::optional<std::size_t> kind;
    if (const auto* word = documents::required(place, body, "kind")) kind = documents::read_word(place.member("kind"), *word, kind_words());
    if (kind) connector.kind = static_cast<ConnectorKind>(*kind);
    const bool is_webhook = connector.kind == ConnectorKind::webhook;
    if (const auto* flag = documents::given_member(body, "enabled")) connector.enabled = documents::read_bool(place.member("enabled"), *flag).value_or(true);
    if (const auto* url = documents::required(place, body, "url")) connector.url = read_address(place.member("url"), *url, !is_webhook).value_or("");
    Json condition = Json::object();
    if (const auto* predicate = documents::given_member(body, "condition")) {
        if (auto compiled = condition_from_json(place.member("condition"), *predicate)) {
            connector.condition = std::move(compiled->predicate);
            condition = std::move(compiled->normal);
        }
    }
    if (const auto* when = documents::given_member(body, "when")) read_when(place.member("when"), *when, connector);
    read_template(place, body, "title", usual_title, most_title_bytes, title_names, connector.title);
    read_template(place, body, "body", usual_body, most_body_bytes, body_names, connector.body);
    if (const auto* labels = documents::given_member(body, "labels")) read_labels(place.member("labels"), *labels, connector);
    if (const auto* console = documents::given_member(body, "console")) connector.console = read_address(place.member("console"), *console, true).value_or("");
    read_closing(place, body, connector);
    if (kind && is_webhook) refuse_of_webhook(place, body);
    if (kind && !is_webhook) read_ticket_system(place, body, connector);
    if (kind) read_target(place, body, connector);
    if (const auto* secrets = documents::given_member(body, "secrets"); secrets != nullptr && kind)
        read.secrets = read_secrets(place.member("secrets"), connector.kind, *secrets);
    if (connector.title && connector.body) connector.document = normal_form(connector, condition);
    return read;
}

Connector stored_connector(std::string_view document_json) {
    engine::Faults faults;
    auto read = connector_from_json(Place{faults}, Json::parse(document_json));
    if (!faults.empty()) throw std::invalid_argument("damaged connector: " + faults.front().pointer + ": " + faults.front().detail);
    return std::move(read.connector);
}

}  // namespace catenary::api::tickets
