#include "tests/support/lane_story.hpp"

#include "engine/lane/stage_index.hpp"

#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <cstdio>
#include <tuple>

namespace catenary::test {

using namespace engine;

namespace {

bool by_reference(const StoredSignal& left, const StoredSignal& right) {
    return std::tie(left.signal.time, left.signal.source, left.signal.id) < std::tie(right.signal.time, right.signal.source, right.signal.id);
}

}  // namespace

void Stored::write(const TenantEffects& effects) {
    late.insert(effects.late.begin(), effects.late.end());
    awaiting.insert(effects.behind_horizon.begin(), effects.behind_horizon.end());
    for (const SignalRef& signal : effects.rematched) awaiting.erase(signal);
    for (const FindingChange& change : effects.findings) {
        findings.insert_or_assign(change.record.id, change.record);
        if (change.replace_evidence) evidence[change.record.id].clear();
    }
    for (const auto& [finding, signal, stage] : effects.evidence) evidence[finding].emplace(signal, stage);
    for (const IncidentRecord& record : effects.incidents) incidents.insert_or_assign(record.number, record);
    for (const auto& [edit, position, at] : effects.stored_edits) {
        IncidentRecord& record = incidents.at(edit.number);
        ++stored_edits;
        ++record.revision;
        record.updated = at;
        if (edit.status && *edit.status != IncidentStatus::closed && record.status == IncidentStatus::closed) {
            record.classification.reset();
            record.classification_reason.clear();
        }
        if (edit.status) record.status = *edit.status;
        if (edit.classification) record.classification = edit.classification;
        if (edit.reason) record.classification_reason = *edit.reason;
        if (edit.owner) record.owner = *edit.owner;
        if (edit.title) record.title = *edit.title;
        if (edit.severity) record.severity = *edit.severity;
        if (edit.labels) record.labels = *edit.labels;
    }
    activity.insert(activity.end(), effects.activity.begin(), effects.activity.end());
    near_misses.insert(near_misses.end(), effects.near_misses.begin(), effects.near_misses.end());
    if (effects.near_misses_kept_from) std::erase_if(near_misses, [&](const auto& one) { return one.until < *effects.near_misses_kept_from; });
    status = effects.status;
}

std::vector<FindingRecord> Stored::live_findings() const {
    std::vector<FindingRecord> live;
    for (const auto& [id, record] : findings) {
        if (record.state != FindingState::superseded) live.push_back(record);
    }
    std::stable_sort(live.begin(), live.end(), [](const auto& left, const auto& right) { return left.start < right.start; });
    return live;
}

std::vector<IncidentRecord> Stored::live_incidents() const {
    std::vector<IncidentRecord> live;
    for (const auto& [number, record] : incidents) {
        if (!record.merged_into) live.push_back(record);
    }
    return live;
}

std::vector<std::string> Stored::history(IncidentNumber number) const {
    std::vector<std::string> lines;
    for (const IncidentActivity& line : activity) {
        if (line.number == number) lines.push_back(line.what);
    }
    return lines;
}

LaneStory::LaneStory(Catalogue shipped) : lane_{std::move(shipped)}, now_{story_day()} {}

LaneStory& LaneStory::signal(const Signal& signal) {
    now_ = std::max(now_, signal.time);
    return entry({Position{static_cast<std::int64_t>(log_.size()) + 1}, tenant_, now_, signal});
}

LaneStory& LaneStory::control(const ControlBody& body) { return entry({Position{static_cast<std::int64_t>(log_.size()) + 1}, tenant_, now_, body}); }

LaneStory& LaneStory::entry(const LogEntry& entry) {
    if (const auto* signal = std::get_if<Signal>(&entry.body)) {
        const BorrowedSignal borrowed{*signal};
        lane_.apply(entry.position, entry.tenant, entry.admitted, borrowed.view());
    } else {
        const auto& body = std::get<ControlBody>(entry.body);
        const auto request = lane_.history_for(entry.tenant, body);
        lane_.apply(entry.position, entry.tenant, entry.admitted, body, request ? history(*request, entry.position) : std::vector<StoredSignal>{});
    }
    if (forgets_at_once_ && (log_.size() < 1'000 || log_.size() % 1'000 == 0)) lane_.forget_unnamed();
    log_.push_back(entry);
    while (const auto request = rematches_ ? lane_.rematch_request() : std::nullopt) lane_.rematch(answer(*request));
    return *this;
}

LaneStory& LaneStory::finish_rematches() {
    using namespace std::chrono_literals;
    while (stored().status.rematch_backlog > 0) at(now_ + 1min).control(SettingChange{});
    return *this;
}

RematchAnswer LaneStory::answer(const RematchRequest& request) {
    RematchAnswer answer;
    for (const LogEntry& entry : log_) {
        const auto* signal = std::get_if<Signal>(&entry.body);
        if (signal == nullptr || entry.tenant != request.tenant || entry.position > request.through) continue;
        if (signal->time < request.from || signal->time > request.to) continue;
        const auto is_wanted = [&](const EntityMention& named) {
            return std::binary_search(request.entities.begin(), request.entities.end(), EntityKey{named.kind, named.value});
        };
        if (!request.entities.empty() && std::none_of(signal->entities.begin(), signal->entities.end(), is_wanted)) continue;
        const BorrowedSignal borrowed{*signal};
        if (satisfied_stages(*request.pattern, borrowed.view()) == 0) continue;
        const bool is_late = stored_[entry.tenant].late.contains({signal->time, signal->source, signal->id});
        answer.signals.push_back({entry.position, entry.admitted, *signal, is_late});
    }
    answer.too_many = answer.signals.size() > RematchRequest::most_signals;
    std::sort(answer.signals.begin(), answer.signals.end(), by_reference);
    return answer;
}

std::vector<StoredSignal> LaneStory::history(const HistoryRequest& request, Position before) {
    take();
    std::vector<StoredSignal> signals;
    for (const LogEntry& entry : log_) {
        const auto* signal = std::get_if<Signal>(&entry.body);
        if (signal == nullptr || entry.tenant != request.tenant || !(entry.position < before)) continue;
        if (signal->time < request.from || signal->time > request.to) continue;
        const bool is_late = stored_[entry.tenant].late.contains({signal->time, signal->source, signal->id});
        signals.push_back({entry.position, entry.admitted, *signal, is_late});
    }
    std::sort(signals.begin(), signals.end(), by_reference);
    return signals;
}

Effects LaneStory::taken() {
    Effects effects = lane_.take_effects();
    for (const TenantEffects& tenant : effects) stored_[tenant.tenant].write(tenant);
    return effects;
}

LaneStory LaneStory::resumed_with(Lane lane) const {
    LaneStory story;
    story.lane_ = std::move(lane);
    story.log_ = log_;
    story.stored_ = stored_;
    story.tenant_ = tenant_;
    story.now_ = now_;
    story.rematches_ = rematches_;
    story.forgets_at_once_ = forgets_at_once_;
    return story;
}

LaneStory LaneStory::begun_anew(Catalogue shipped, Timestamp at) {
    take();
    LaneStory anew{std::move(shipped)};
    Position last{0};
    for (const LogEntry& entry : log_) {
        last = entry.position;
        const auto* body = std::get_if<ControlBody>(&entry.body);
        if (body == nullptr || !is_about_incidents(*body)) anew.entry(entry);
    }
    anew.take();
    for (const auto& [tenant, stored] : stored_) {
        StoredIncidents known;
        for (const auto& [number, record] : stored.incidents) {
            known.last_number = std::max(known.last_number, number.value());
            known.incidents.push_back(record);
        }
        for (const auto& finding : stored.live_findings()) {
            if (!finding.incident) continue;
            known.findings.push_back({finding.id, *finding.incident, finding.start, finding.end, finding.evidence_total, {}, {}});
            if (stored.incidents.at(*finding.incident).status != IncidentStatus::closed) continue;
            for (const auto& [signal, stage] : stored.evidence.at(finding.id)) known.findings.back().evidence.push_back(signal);
            known.findings.back().principals = finding.principals;
            std::sort(known.findings.back().principals.begin(), known.findings.back().principals.end());
        }
        anew.lane_.carry_over(tenant, known, last, at);
    }
    return resumed_with(std::move(anew.lane_));
}

Stored& LaneStory::stored(TenantId tenant) {
    take();
    return stored_[tenant];
}

namespace {

class Text {
public:
    Text& operator<<(const std::string& part) {
        text_ += part + '|';
        return *this;
    }
    Text& operator<<(std::int64_t part) { return *this << std::to_string(part); }
    Text& operator<<(Timestamp part) { return *this << to_micros(part); }
    Text& operator<<(const FindingId& part) { return *this << to_string(part.value()); }
    Text& operator<<(double part) {
        char buffer[64];
        std::snprintf(buffer, sizeof buffer, "%a", part);  // every bit of it
        return *this << std::string{buffer};
    }
    Text& operator<<(const SignalRef& part) { return *this << part.time << part.source << part.id; }
    Text& operator<<(const EntityKey& part) { return *this << part.kind << part.value; }
    Text& operator<<(IncidentNumber part) { return *this << part.value(); }
    template <class T>
    Text& operator<<(const std::vector<T>& parts) {
        *this << static_cast<std::int64_t>(parts.size());
        for (const T& part : parts) *this << part;
        return *this;
    }
    template <class T>
    Text& operator<<(const std::optional<T>& part) {
        return part ? *this << *part : *this << std::string{"-"};
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

void put(Text& text, const FindingRecord& it) {
    text << it.id << std::string{to_string(it.state)} << it.pattern << std::int64_t{it.version} << std::string{to_string(it.mode)} << it.title
         << static_cast<std::int64_t>(it.severity) << it.tactics << it.techniques << it.domains << it.principals << it.start << it.end << it.score.total_bits
         << it.score.probability << it.evidence_total << it.superseded_by << it.incident << it.summary;
    text << it.waiting_until << it.absences << std::int64_t{it.more_late_answers};
    for (const LateAnswerRecord& answer : it.late_answers) text << answer.signal << answer.absence;
    for (const StageSummary& stage : it.stages) text << stage.id << stage.count << stage.first << stage.because << stage.linked_by;
}

void put(Text& text, const IncidentRecord& it) {
    text << it.number << it.title << it.summary << static_cast<std::int64_t>(it.severity) << it.score << std::string{to_string(it.status)}
         << std::string{it.classification ? to_string(*it.classification) : ""} << it.classification_reason << it.owner << it.labels << it.tactics
         << it.techniques << it.domains << it.patterns << it.principals << it.entities << it.entity_total << it.first_activity << it.last_activity << it.created
         << it.updated << it.signal_count << it.finding_count << it.revision << it.merged_into << it.related;
}

}  // namespace

std::string as_text(const FindingRecord& finding) {
    Text text;
    put(text, finding);
    return text.text();
}

std::string as_text(const Effects& effects) {
    Text text;
    for (const TenantEffects& tenant : effects) {
        text << std::int64_t{tenant.tenant.value()} << tenant.late << tenant.behind_horizon << tenant.rematched;
        for (const FindingChange& change : tenant.findings) {
            put(text, change.record);
            text << std::int64_t{change.replace_evidence};
        }
        for (const EvidenceAddition& it : tenant.evidence) text << it.finding << it.signal << it.stage;
        for (const IncidentRecord& it : tenant.incidents) put(text, it);
        for (const StoredEdit& it : tenant.stored_edits)
            text << it.edit.number << it.position.value() << it.at << it.edit.owner << it.edit.title << it.edit.labels;
        for (const IncidentActivity& it : tenant.activity) text << it.number << it.position.value() << it.at << it.actor << it.what << it.detail;
        for (const NearMissRecord& it : tenant.near_misses) {
            text << it.pattern << std::int64_t{it.version} << it.entity.kind << it.entity.value << it.missing << it.start << it.end << it.until;
            for (const ChainStage& stage : it.reached) text << stage.id << stage.signal;
        }
        text << tenant.near_misses_kept_from;
        const TenantStatus& status = tenant.status;
        text << status.watermark << std::int64_t{status.held} << status.newest << status.signals << status.late << status.unlinkable << status.behind_horizon
             << status.window_signals << status.near_misses_dropped << status.aggregated_findings << status.incidents_cut_short << status.rematches.made
             << status.rematches.signals << status.rematches.cut << status.rematches.given_up << status.rematch_backlog << status.oldest_rematch_waiting;
    }
    return text.text();
}

Pattern pattern_of(std::string id, std::vector<StageSpec> stages, Duration within, std::vector<std::string> kinds) {
    Pattern pattern;
    pattern.title = "Title of " + id;
    pattern.id = std::move(id);
    pattern.within = within;
    pattern.link = kinds.empty() ? LinkMode::none : LinkMode::same;
    pattern.link_kinds = std::move(kinds);
    for (StageSpec& spec : stages) {
        const auto match = Predicate::test({Field::parse("name").value(), FieldTest::Operator::any_of, {spec.name}}).value();
        pattern.stages.push_back({.id = spec.name, .match = match, .optional = spec.optional, .within = {}, .repeat = {}});
    }
    return pattern;
}

std::shared_ptr<const Pattern> shared(Pattern pattern) { return std::make_shared<const Pattern>(std::move(pattern)); }

Signal signal_of(const std::string& name, Duration after_start, const std::string& account, double confidence) {
    Signal signal;
    signal.source = "source_of_" + name;
    signal.id = name + "-" + account + "-" + std::to_string(after_start.count());
    signal.time = story_day() + after_start;
    signal.domain = "domain_of_" + name;
    signal.name = name;
    signal.confidence = confidence;
    if (!account.empty()) signal.entities.push_back({"account", account, "", true});
    return signal;
}

}  // namespace catenary::test
