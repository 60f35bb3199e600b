#include "tests/support/fake_api.hpp"

#include "api/adapters/posted.hpp"
#include "api/documents/document.hpp"
#include "api/handlers/reply.hpp"
#include "api/http/target.hpp"
#include "api/ingest/prepared.hpp"
#include "api/json/time_json.hpp"
#include "api/ports/pattern_modes.hpp"
#include "api/routes.hpp"
#include "tests/support/schema_check.hpp"

#include <doctest/doctest.h>
#include <boost/uuid/string_generator.hpp>

#include <algorithm>
#include <stdexcept>

namespace catenary::tests {

using namespace api::ports;

namespace {

const Failure past{FailureCode::invalid, "the key would be expired from the start", "/expires"};
const Failure nothing_here{FailureCode::not_found, "there is nothing here"};

/// What the session does without a handler: signals, of which all that can be stored are, and metrics.
api::http::Response by_session(api::http::Request request, const api::Caller& caller) {
    if (request.method == api::http::Method::get)
        return api::handlers::refuse_parameters(request).value_or(api::http::Response{200, "text/plain", {}, "x 1\n"});
    const auto format = api::adapters::format_in_path(request);
    const auto now = at("2026-03-05T23:00:00Z");
    const auto prepared =
        format ? api::adapters::prepare(*format, request, caller, now, {}) : api::ingest::prepare(request, caller, now, api::ingest::IngestLimits{});
    if (prepared.refusal) return *prepared.refusal;
    api::ingest::CommitOutcome outcome;
    outcome.items.resize(prepared.batch->signals.size());
    return api::ingest::render(request, *prepared.batch, outcome);
}

}  // namespace

bool FakeSignals::mentions_any(const engine::Signal& signal, const std::vector<engine::EntityKey>& entities) {
    return std::any_of(signal.entities.begin(), signal.entities.end(), [&](const engine::EntityMention& mention) {
        return std::find(entities.begin(), entities.end(), engine::EntityKey{mention.kind, mention.value}) != entities.end();
    });
}
Outcome<SignalDetail> FakeSignals::find(const api::Caller&, const std::string& source, const std::string& id, std::optional<engine::Timestamp> time) {
    time_asked = time;
    if (failure) return *failure;
    for (const auto& row : rows) {
        if (row.signal.source == source && row.signal.id == id) return SignalDetail{row, uses};
    }
    return nothing_here;
}

Outcome<EntityRow> FakeEntities::find(const api::Caller&, const engine::EntityKey& key) {
    for (const auto& row : rows) {
        if (row.key == key) return row;
    }
    return nothing_here;
}

Outcome<Page<engine::IncidentRecord>> FakeIncidents::page(const api::Caller&, const IncidentFilter& filter, const PageRequest& request) {
    asked = filter;
    if (failure) return *failure;
    std::vector<engine::IncidentRecord> all;
    for (const auto& [number, record] : records) all.push_back(record);
    return cut_page(all, request);
}
Outcome<engine::IncidentRecord> FakeIncidents::find(const api::Caller&, engine::IncidentNumber number) {
    if (failure) return *failure;
    const auto it = records.find(number.value());
    if (it == records.end()) return nothing_here;
    return it->second;
}
Outcome<engine::IncidentRecord> FakeIncidents::story(const api::Caller& caller, engine::IncidentNumber number) {
    auto record = find(caller, number);
    while (record && record->merged_into) record = find(caller, *record->merged_into);
    return record;
}
Outcome<IncidentEvidence> FakeIncidents::evidence(const api::Caller& caller, engine::IncidentNumber number, const PageRequest& request) {
    const auto record = story(caller, number);
    if (!record) return record.error();
    numbers.push_back(record->number.value());
    return IncidentEvidence{*record, found, cut_page(rows, request)};
}
Outcome<Page<engine::IncidentActivity>> FakeIncidents::activity(const api::Caller&, engine::IncidentNumber number, const std::vector<std::string>& kinds,
                                                                const PageRequest& request) {
    numbers.push_back(number.value());
    std::vector<engine::IncidentActivity> wanted;
    for (const auto& line : lines) {
        if (kinds.empty() || std::ranges::find(kinds, line.what) != kinds.end()) wanted.push_back(line);
    }
    return cut_page(wanted, request);
}
Outcome<std::vector<engine::IncidentRecord>> FakeIncidents::alike(const api::Caller&, const engine::IncidentRecord& incident, std::size_t most) {
    std::vector<engine::IncidentRecord> others;
    for (const auto& [number, record] : records) {
        if (number != incident.number.value() && others.size() < most) others.push_back(record);
    }
    return others;
}
Outcome<IncidentDetail> FakeIncidents::detail(const api::Caller& caller, engine::IncidentNumber number, std::size_t most_comments) {
    const auto record = find(caller, number);
    if (!record) return record.error();
    return IncidentDetail{*record, found, activity(caller, number, {"commented"}, {most_comments, ""})->items, tickets};
}
Outcome<std::vector<engine::FindingRecord>> FakeIncidents::findings(const api::Caller&, engine::IncidentNumber number) {
    numbers.push_back(number.value());
    return found;
}

Outcome<Page<FindingWithEvidence>> FakeFindings::page(const api::Caller&, const FindingFilter& filter, const PageRequest& request) {
    asked = filter;
    if (failure) return *failure;
    return cut_page(rows, request);
}
Outcome<FindingWithEvidence> FakeFindings::find(const api::Caller&, const engine::FindingId& id) {
    for (const auto& row : rows) {
        if (row.record.id == id) return row;
    }
    return nothing_here;
}

Outcome<std::vector<PatternVersion>> FakePatterns::list(const api::Caller&) {
    if (failure) return *failure;
    std::vector<PatternVersion> all;
    for (const auto& [id, version] : stored) all.push_back(version);
    return all;
}
Outcome<PatternVersion> FakePatterns::find(const api::Caller&, const std::string& id) {
    if (failure) return *failure;
    const auto it = stored.find(id);
    if (it == stored.end()) return nothing_here;
    return it->second;
}
Outcome<Page<PatternVersion>> FakePatterns::versions(const api::Caller&, const std::string& id, const PageRequest& request) {
    std::vector<PatternVersion> all;
    for (auto it = former.rbegin(); it != former.rend(); ++it) {
        if (it->id == id) all.push_back(*it);
    }
    if (all.empty()) return nothing_here;
    return cut_page(all, request);
}
Outcome<PatternVersion> FakePatterns::version(const api::Caller&, const std::string& id, std::int32_t version) {
    for (const auto& each : former) {
        if (each.id == id && each.version == version) return each;
    }
    return nothing_here;
}
Outcome<PatternVersion> FakePatterns::put(PatternVersion version) {
    version.changed = at("2026-03-06T08:30:00Z");
    version.changed_by = "k0";
    stored.insert_or_assign(version.id, version);
    return version;
}
Outcome<PatternVersion> FakePatterns::add(const api::Caller& caller, const PatternVersion& wanted, std::optional<engine::Timestamp> from) {
    if (failure) return *failure;
    if (stored.contains(wanted.id)) return Failure{FailureCode::conflict, "a pattern of this id exists"};
    effective_from = from;
    auto added = wanted;
    give_mode(added, added.version, wanted.mode);
    added.created = at("2026-03-06T08:00:00Z");
    added.created_by = caller.key_id;
    former.push_back(added);
    return put(added);
}
Outcome<PatternVersion> FakePatterns::replace(const api::Caller&, const PatternVersion& wanted, const PatternCondition& condition) {
    if (failure) return *failure;
    effective_from = condition.effective_from;
    asked_revision = condition.revision;
    auto next = stored.at(wanted.id);
    next.document_json = wanted.document_json;
    ++next.version;
    give_mode(next, next.version, wanted.mode);
    ++next.revision;
    former.push_back(next);
    return put(next);
}
Outcome<PatternVersion> FakePatterns::deploy(const api::Caller&, const PatternVersion& wanted, const PatternCondition& condition) {
    if (failure) return *failure;
    effective_from = condition.effective_from;
    asked_revision = condition.revision;
    const auto it = stored.find(wanted.id);
    auto next = it == stored.end() ? wanted : it->second;
    if (next.shipped) next.document_json.clear();
    give_mode(next, wanted.version, wanted.mode);
    ++next.revision;
    return put(next);
}
Outcome<PatternVersion> FakePatterns::end_trial(const api::Caller&, const std::string& id, const PatternCondition& condition) {
    if (failure) return *failure;
    asked_revision = condition.revision;
    auto next = stored.at(id);
    give_mode(next, next.production.value(), engine::Mode::production);
    ++next.revision;
    return put(next);
}
Outcome<PatternVersion> FakePatterns::retire(const api::Caller&, const std::string& id, const PatternCondition& condition) {
    if (failure) return *failure;
    asked_revision = condition.revision;
    auto gone = stored.at(id);
    stored.erase(id);
    return gone;
}

Outcome<engine::Position> FakeControl::watermark(const api::Caller&, const engine::WatermarkCall& call) {
    if (failure) return *failure;
    watermarks.push_back(call);
    return engine::Position{41};
}
Outcome<engine::IncidentRecord> FakeControl::edit(const api::Caller&, const engine::IncidentEdit& edit, std::optional<std::int64_t> made_for) {
    if (failure) return *failure;
    edits.push_back(edit);
    revision = made_for;
    auto& record = incidents.records.at(edit.number.value());
    if (edit.status) record.status = *edit.status;
    if (edit.classification) record.classification = edit.classification;
    if (edit.reason) record.classification_reason = *edit.reason;
    if (edit.owner) record.owner = *edit.owner;
    if (edit.title) record.title = *edit.title;
    if (edit.severity) record.severity = *edit.severity;
    if (edit.labels) record.labels = *edit.labels;
    ++record.revision;
    return record;
}
Outcome<engine::IncidentRecord> FakeControl::merge(const api::Caller&, const engine::IncidentMerge& merge) {
    if (failure) return *failure;
    merges.push_back(merge);
    for (const auto number : merge.numbers) incidents.records.at(number.value()).merged_into = merge.into;
    return incidents.records.at(merge.into.value());
}
Outcome<engine::IncidentRecord> FakeControl::split(const api::Caller&, const engine::IncidentSplit& split) {
    if (failure) return *failure;
    splits.push_back(split);
    auto made = incidents.records.at(split.number.value());
    made.number = engine::IncidentNumber{99};
    made.revision = 1;
    return incidents.records.emplace(99, made).first->second;
}
Outcome<EntityRow> FakeEntities::change(const api::Caller& caller, const EntityRow& wanted, std::optional<std::int64_t> revision) {
    auto row = std::find_if(rows.begin(), rows.end(), [&](const EntityRow& known) { return known.key == wanted.key; });
    if (row == rows.end()) row = rows.insert(row, {wanted.key, wanted.identifies});
    if (stale_answers > 0) {
        --stale_answers;
        ++row->revision;
    }
    if (revision && *revision != row->revision) return Failure{FailureCode::stale, "changed meanwhile"};
    row->notes = wanted.notes;
    ++row->revision;
    row->changed = at("2026-03-06T08:00:00Z");
    row->changed_by = caller.key_id;
    return *row;
}

Outcome<engine::IncidentActivity> FakeControl::comment(const api::Caller&, const engine::IncidentComment& comment) {
    if (failure) return *failure;
    comments.push_back(comment);
    return incidents.lines.emplace_back(
        engine::IncidentActivity{comment.number, engine::Position{42}, at("2026-03-06T08:00:00Z"), comment.actor, "commented", comment.text});
}

Outcome<Job> FakeJobs::add(const api::Caller& caller, const BacktestRequest& wanted) {
    if (failure) return *failure;
    asked.push_back(wanted);
    Job job;
    job.id = "5c0ffee0-0000-4000-8000-00000000000" + std::to_string(rows.size() + 1);
    job.request = wanted;
    job.created = at("2026-03-06T08:00:00Z");
    job.created_by = caller.key_id;
    return rows.emplace_back(job);
}
Outcome<Job> FakeJobs::find(const api::Caller&, const std::string& id) {
    for (const auto& row : rows) {
        if (row.id == id) return row;
    }
    return nothing_here;
}
Outcome<Page<Job>> FakeJobs::page(const api::Caller&, const PageRequest& request) { return cut_page(std::vector<Job>{rows.rbegin(), rows.rend()}, request); }
Outcome<Job> FakeJobs::cancel(const api::Caller&, const std::string& id) {
    for (auto& row : rows) {
        if (row.id != id) continue;
        if (row.state == JobState::done || row.state == JobState::failed) return Failure{FailureCode::conflict, "the job has ended"};
        row.state = JobState::cancelled;
        row.ended = at("2026-03-06T08:01:00Z");
        return row;
    }
    return nothing_here;
}

Outcome<StoredSettings> FakeSettings::change(const api::Caller& caller, const TenantSettings& wanted, std::int64_t revision) {
    if (stale_answers > 0) {
        --stale_answers;
        ++stored.revision;
    }
    if (revision != stored.revision) return Failure{FailureCode::stale, "changed meanwhile"};
    stored = {wanted, revision + 1, at("2026-03-06T08:00:00Z"), caller.key_id};
    return stored;
}

Outcome<NewTenant> FakeTenants::add(const api::Caller&, const std::string& name) {
    for (const auto& tenant : tenants) {
        if (tenant.name == name) return Failure{FailureCode::conflict, "a tenant of this name exists"};
    }
    tenants.push_back({name, at("2026-03-06T08:00:00Z")});
    return NewTenant{name, "cat_new_secret"};
}
Outcome<Page<TenantRow>> FakeTenants::page(const api::Caller&, const PageRequest& request) { return cut_page(tenants, request); }
Outcome<Page<KeyRow>> FakeTenants::keys(const api::Caller&, const PageRequest& request) { return cut_page(rows, request); }
Outcome<NewKey> FakeTenants::add_key(const api::Caller&, const KeyRow& wanted) {
    if (wanted.expires && *wanted.expires <= at("2026-03-06T08:00:00Z")) return past;
    auto row = wanted;
    row.id = "k" + std::to_string(rows.size() + 1);
    row.created = at("2026-03-06T08:00:00Z");
    rows.push_back(row);
    return NewKey{row, "cat_" + row.id + "_secret"};
}
Outcome<bool> FakeTenants::remove_key(const api::Caller&, const std::string& id) {
    if (std::erase_if(rows, [&id](const KeyRow& row) { return row.id == id; }) == 0) return nothing_here;
    return true;
}

Outcome<RotatedKey> FakeTenants::rotate_key(const api::Caller& caller, const std::string& id, const KeyRotation& wanted) {
    rotation = wanted;
    const auto old = std::find_if(rows.begin(), rows.end(), [&id](const KeyRow& row) { return row.id == id; });
    if (old == rows.end()) return nothing_here;
    if (wanted.expires && *wanted.expires <= at("2026-03-06T08:00:00Z")) return past;
    old->expires = at("2026-03-06T08:00:00Z") + wanted.overlap;
    const auto expires = *old->expires;
    auto row = *old;
    row.expires = wanted.expires;
    return RotatedKey{*add_key(caller, row), id, expires};
}
Outcome<Page<AuditRow>> FakeTenants::audit(const api::Caller&, const AuditFilter& filter, const PageRequest& request) {
    asked = filter;
    return cut_page(changes, request);
}

Outcome<Page<api::tickets::ConnectorRow>> FakeDesk::connectors(const api::Caller&, const PageRequest& request) {
    std::vector<ConnectorRow> all;
    for (const auto& [name, row] : stored) all.push_back(row);
    return cut_page(all, request);
}
Outcome<api::tickets::ConnectorRow> FakeDesk::connector(const api::Caller&, const std::string& name) {
    const auto found = stored.find(name);
    if (found == stored.end()) return nothing_here;
    return found->second;
}
Outcome<api::tickets::ConnectorRow> FakeDesk::put_connector(const api::Caller& caller, const ConnectorRow& wanted,
                                                            const std::optional<std::string>& secrets_json, std::optional<std::int64_t> revision) {
    auto& row = stored[wanted.name];
    if (revision && *revision != row.revision) return Failure{FailureCode::stale, "changed meanwhile"};
    row.name = wanted.name;
    row.document_json = wanted.document_json;
    row.changed = at("2026-03-06T08:00:00Z");
    row.changed_by = caller.key_id;
    ++row.revision;
    if (!secrets_json) return row;
    secrets[wanted.name] = *secrets_json;
    row.secret_names.clear();
    const auto given = nlohmann::json::parse(*secrets_json);
    for (const auto& [name, values] : given.items()) row.secret_names.push_back(name);
    return row;
}
Outcome<bool> FakeDesk::remove_connector(const api::Caller&, const std::string& name, std::optional<std::int64_t>) {
    if (stored.erase(name) == 0) return nothing_here;
    return true;
}
Outcome<api::tickets::ConnectorTest> FakeDesk::test_connector(const api::Caller&, const std::string& name) {
    if (!stored.contains(name)) return nothing_here;
    return answer;
}
Outcome<Page<api::tickets::TicketRow>> FakeDesk::tickets(const api::Caller&, const api::tickets::TicketFilter& filter, const PageRequest& request) {
    asked = filter;
    return cut_page(rows, request);
}
Outcome<std::map<std::int64_t, std::vector<api::tickets::TicketRow>>> FakeDesk::tickets_of(const api::Caller&,
                                                                                           const std::vector<engine::IncidentNumber>& incidents) {
    std::map<std::int64_t, std::vector<TicketRow>> found;
    for (const auto& row : rows) {
        if (std::find(incidents.begin(), incidents.end(), row.incident) != incidents.end()) found[row.incident.value()].push_back(row);
    }
    return found;
}
Outcome<api::tickets::TicketRow> FakeDesk::open_ticket(const api::Caller&, engine::IncidentNumber incident, const std::string& connector) {
    if (!stored.contains(connector)) return Failure{FailureCode::invalid, "there is no such connector", "/connector"};
    ++asked_again;
    auto made = ticket_of(incident.value());
    made.connector = connector;
    return made;
}
Outcome<api::tickets::TicketRow> FakeDesk::sync_ticket(const api::Caller&, std::int64_t id) {
    for (const auto& row : rows) {
        if (row.id != id) continue;
        ++asked_again;
        return row;
    }
    return nothing_here;
}
Outcome<Page<api::tickets::DeliveryRow>> FakeDesk::deliveries(const api::Caller&, const api::tickets::DeliveryFilter&, const PageRequest& request) {
    return cut_page(lines, request);
}
Outcome<api::tickets::TicketRow> FakeDesk::retry_delivery(const api::Caller& who, std::int64_t id) {
    for (const auto& line : lines) {
        if (line.id == id && line.ticket) return sync_ticket(who, *line.ticket);
    }
    return nothing_here;
}

Outcome<bool> FakeDesk::take_hook(const std::string& id, const api::tickets::HookMessage& message) {
    if (id != "open") return nothing_here;
    if (hook_failure) return *hook_failure;
    const auto is_known = [&](const api::tickets::HookMessage& known) { return known.header("webhook-id") == message.header("webhook-id"); };
    const bool is_new = std::ranges::none_of(hooks, is_known);
    hooks.push_back(message);
    return is_new;
}

nlohmann::json redmine_document() {
    return nlohmann::json::parse(R"({"kind":"redmine","url":"https://tickets.example","secrets":{"api_key":"k"},"condition":{"severity":{"gte":"medium"}},
        "priorities":{"high":5},"statuses":{"closed":5},"console":"https://catenary.example","redmine":{"project":"soc","tracker":1,"incident_field":1}})");
}

api::tickets::TicketRow ticket_of(std::int64_t incident) {
    api::tickets::TicketRow ticket;
    ticket.id = 7;
    ticket.connector = "soc";
    ticket.incident = engine::IncidentNumber{incident};
    ticket.state = api::tickets::TicketState::done;
    ticket.wanted = ticket.delivered = 1;
    ticket.due = ticket.created = ticket.changed = at("2026-03-06T08:00:00Z");
    ticket.external_id = "42";
    ticket.external_url = "https://tickets.example/issues/42";
    ticket.external_status = "1";
    return ticket;
}

std::vector<std::string> Reply::pointers() const {
    std::vector<std::string> all;
    if (body.contains("errors")) {
        for (const auto& error : body["errors"]) all.push_back(error["pointer"].get<std::string>());
    }
    return all;
}

std::string_view method_word(api::http::Method method) {
    switch (method) {
        case api::http::Method::get: return "get";
        case api::http::Method::post: return "post";
        case api::http::Method::put: return "put";
        case api::http::Method::patch: return "patch";
        case api::http::Method::delete_: return "delete";
        case api::http::Method::head: return "head";
        case api::http::Method::other: break;
    }
    return "other";
}

FakeApi::FakeApi() {
    caller.tenant = engine::TenantId{1};
    caller.tenant_name = "ne";
    caller.key_id = "k0";
    caller.scopes = 0x7F;
    caller.operator_tenant = true;
}

Reply FakeApi::send(api::http::Method method, std::string_view target, std::string_view body, std::string_view type, std::string_view if_none_match,
                    std::string_view if_match, std::string_view accept) {
    const auto parsed = api::http::parse_target(target);
    REQUIRE(parsed.has_value());
    api::http::Request request;
    request.method = method;
    request.target = target;
    request.segments = parsed->segments;
    request.query = parsed->query;
    request.content_type = type;
    request.body = body;
    request.if_match = if_match;
    request.accept = accept;
    request.if_none_match = if_none_match;
    request.request_id = "r1";
    const auto match = api::find_route(method, request.segments);
    REQUIRE(match.route != nullptr);
    const bool is_handled = match.route->handler != nullptr;
    const auto response = is_handled ? match.route->handler(request, caller, services_) : by_session(std::move(request), caller);

    Reply reply{response.status, nullptr, {}, response.body};
    for (const auto& [name, value] : response.headers) reply.headers[name] = value;
    if (response.status == 0) return reply;  // the connection is closed instead
    const std::string said_target{target};
    CAPTURE(said_target);
    CAPTURE(response.body);
    CHECK(contract_knows_status(match.route->path, method_word(method), response.status));
    if (response.body.empty()) {
        CHECK((response.status == 204 || response.status == 304));
        return reply;
    }
    if (response.content_type == "text/plain") reply.body = response.body;
    else if (response.content_type == "application/yaml") reply.body = *api::documents::read_document(response.body, api::documents::Syntax::yaml).value;
    else reply.body = nlohmann::json::parse(response.body);
    const auto schema = reply_schema(match.route->path, method_word(method), response.status, response.content_type);
    REQUIRE_FALSE(schema.is_null());
    for (const auto& violation : schema_violations(reply.body, schema)) FAIL_CHECK(violation);
    return reply;
}

engine::Timestamp at(std::string_view rfc3339) {
    const auto time = api::json::parse_time(rfc3339);
    if (!time) throw std::invalid_argument("no time");
    return *time;
}

StoredSignalRow stored_sign_in() {
    StoredSignalRow row;
    auto& signal = row.signal;
    signal.source = "entra_id";
    signal.id = "aad-7f3";
    signal.time = at("2026-03-05T22:47:11Z");
    signal.domain = "identity";
    signal.name = "unfamiliar_location_signin";
    signal.tactics = {"TA0001"};
    signal.techniques = {"T1078"};
    signal.severity = engine::Severity::medium;
    signal.confidence = 0.35;
    signal.entities = {{"account", "j.morrison@ne.example", "actor", true}, {"ip", "127.0.0.1", "", false}};
    row.title = "Sign-in from an unfamiliar location";
    row.attributes_json = R"({"country":"RO","risk":{"level":"medium"}})";
    row.shown_json = R"({"0":"J.Morrison@NE.example"})";
    row.received = at("2026-03-05T22:48:00.5Z");
    return row;
}

engine::FindingRecord finding_of_two() {
    using namespace std::chrono_literals;
    engine::FindingRecord finding;
    finding.id = engine::FindingId{boost::uuids::string_generator{}("3b241101-e2bb-5255-8caf-4136c566a962")};
    finding.pattern = "account-takeover-to-mass-download";
    finding.title = "Risky sign-in, then an inbox rule — j.morrison@ne.example";
    finding.severity = engine::Severity::high;
    finding.tactics = {"TA0001", "TA0003"};
    finding.techniques = {"T1078", "T1564.008"};
    finding.domains = {"email", "identity"};
    finding.principals = {{"account", "j.morrison@ne.example"}};
    finding.start = at("2026-03-05T22:47:11Z");
    finding.end = at("2026-03-05T23:10:00Z");
    finding.score = engine::score({{"access", "entra_id", 0.35, 5.74}, {"persistence", "exchange", 0.35, 5.74}}, 2, 0, {});
    finding.stages = {
        {"access", 1, engine::SignalRef{finding.start, "entra_id", "aad-7f3"}, {"name in [unfamiliar_location_signin]"}, {}, {}, finding.principals[0]},
        {"persistence", 1, engine::SignalRef{finding.end, "exchange", "o-1"}, {"name = suspicious_inbox_rule"}, 22min + 49s, 24h, finding.principals[0]},
        {"collection", 0, {}, {"name = mass_download"}, {}, {}, {}}};
    finding.evidence_total = 2;
    finding.incident = engine::IncidentNumber{17};
    finding.summary = "Somebody signed in from afar; 22 min 49 s later a rule hid mail.";
    return finding;
}

engine::IncidentRecord incident_of_two(std::int64_t number) {
    const auto finding = finding_of_two();
    engine::IncidentRecord incident;
    incident.number = engine::IncidentNumber{number};
    incident.title = finding.title;
    incident.summary = finding.summary;
    incident.severity = finding.severity;
    incident.score = finding.score.probability;
    incident.tactics = finding.tactics;
    incident.techniques = finding.techniques;
    incident.domains = finding.domains;
    incident.patterns = {finding.pattern};
    incident.principals = finding.principals;
    incident.entities = {finding.principals[0], {"ip", "203.0.113.7"}};
    incident.entity_total = 2;
    incident.first_activity = finding.start;
    incident.last_activity = finding.end;
    incident.created = at("2026-03-05T23:11:00Z");
    incident.updated = at("2026-03-05T23:12:00Z");
    incident.signal_count = 2;
    incident.finding_count = 1;
    incident.revision = 3;
    incident.related = {engine::IncidentNumber{4}};
    return incident;
}

}  // namespace catenary::tests
