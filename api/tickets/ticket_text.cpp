#include "api/tickets/ticket_text.hpp"

#include "api/json/time_json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::api::tickets {
namespace {

constexpr std::size_t most_entities = 60;
constexpr std::size_t most_findings = 20;
constexpr std::size_t most_replaced = 100;  ///< entities whose spelling is looked for in sentences

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) text.replace(at, what.size(), with);
}

/// Textile, Markdown and wiki macros see nothing in it.
std::string harmless(std::string_view text) {
    std::string plain;
    for (const char c : text) {
        switch (c) {
            case '<': plain += "\u2039"; break;
            case '>': plain += "\u203a"; break;
            case '!': plain += "! "; break;  // an image in Textile and Markdown touches what follows it
            case '{':
            case '[':
            case '`':
                plain += c;
                plain += ' ';
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) plain += ' ';
                else plain += c;
        }
    }
    replace_all(plain, "://", "[://]");
    return plain;
}

bool is_address(const engine::EntityKey& entity) { return entity.kind == "ip" || entity.kind == "domain" || entity.kind == "url"; }

/// A sentence of ours with values of theirs in it.
std::string sentence(std::string_view text, const engine::IncidentRecord& incident) {
    auto said = harmless(text);
    std::size_t replaced = 0;
    for (const auto& entity : incident.entities) {
        if (!is_address(entity) || entity.value.size() < 4) continue;
        if (++replaced > most_replaced) break;
        replace_all(said, harmless(entity.value), defanged(entity.value));
    }
    return said;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + harmless(word);
    return text;
}

std::string entity_text(const engine::EntityKey& entity) {
    return fmt::format("{} {}", entity.kind, is_address(entity) ? defanged(entity.value) : harmless(entity.value));
}

std::string why(const TicketStory& story) {
    std::string text = "Why it fired\n";
    std::size_t told = 0;
    for (const auto& finding : story.findings) {
        if (++told > most_findings) break;
        text += fmt::format("- {} ({} version {}), score {:.3f} from {:+.2f} bits\n", sentence(finding.title, story.record), harmless(finding.pattern),
                            finding.version, finding.score.probability, finding.score.total_bits);
        for (const auto& stage : finding.stages) {
            if (!stage.first) continue;
            std::string because;
            for (const auto& condition : stage.because) because += (because.empty() ? "" : "; ") + sentence(condition, story.record);
            text += fmt::format("  * {}: {} signals{}{}\n", harmless(stage.id), stage.count, because.empty() ? "" : ", ", because);
        }
    }
    if (story.findings.size() > most_findings) text += fmt::format("and {} more findings\n", story.findings.size() - most_findings);
    return text;
}

std::string timeline(const TicketStory& story) {
    std::string text = "Timeline (UTC)\n";
    for (const auto& evidence : story.evidence) {
        const auto& signal = evidence.signal.signal;
        text += fmt::format("- {} {} ({}, {})", json::format_time(signal.time),
                            sentence(evidence.signal.title.empty() ? signal.name : evidence.signal.title, story.record), harmless(signal.domain),
                            harmless(signal.source));
        if (signal.count > 1) text += fmt::format(", {} times", signal.count);
        text += '\n';
    }
    if (story.more_evidence) text += fmt::format("and more: {} signals in all\n", story.record.signal_count);
    return text;
}

std::string entities(const engine::IncidentRecord& incident) {
    std::string text = "Entities\n";
    std::size_t listed = 0;
    for (const auto& entity : incident.entities) {
        if (++listed > most_entities) break;
        const bool principal = std::ranges::find(incident.principals, entity) != incident.principals.end();
        text += fmt::format("- {}{}\n", entity_text(entity), principal ? " (principal)" : "");
    }
    if (incident.entity_total > static_cast<std::int64_t>(most_entities))
        text += fmt::format("and {} more\n", incident.entity_total - static_cast<std::int64_t>(most_entities));
    return text;
}

/// A section of every ticket whose incident was merged or split, whatever its template names.
std::string kin(const TicketStory& story) {
    if (story.kin.empty()) return "";
    std::string text = "\nMerged and split\n";
    for (const auto& other : story.kin) text += fmt::format("- {}{}\n", kin_line(other), other.ticket.empty() ? "" : " Its ticket: " + other.ticket);
    return text;
}

std::string attack(const engine::IncidentRecord& incident) {
    if (incident.tactics.empty() && incident.techniques.empty()) return "";
    return fmt::format("ATT&CK\n- tactics: {}\n- techniques: {}\n", joined(incident.tactics), joined(incident.techniques));
}

/// At most `most` bytes, never ending inside a character.
std::string cut(std::string text, std::size_t most, std::string_view mark) {
    if (text.size() <= most) return text;
    std::size_t end = most - mark.size();
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    text.resize(end);
    return text + std::string{mark};
}

std::string value(std::string_view name, const Connector& connector, const TicketStory& story) {
    const auto& incident = story.record;
    if (name == "number") return std::to_string(incident.number.value());
    if (name == "title") return sentence(incident.title, incident);
    if (name == "severity") return std::string{engine::to_string(incident.severity)};
    if (name == "score") return fmt::format("{:.3f}", incident.score);
    if (name == "status") return engine::to_string(incident.status);
    if (name == "owner") return harmless(incident.owner);
    if (name == "principal") return incident.principals.empty() ? "" : entity_text(incident.principals.front());
    if (name == "domains") return joined(incident.domains);
    if (name == "signal_count") return std::to_string(incident.signal_count);
    if (name == "labels") return joined(connector.labels);
    if (name == "first_activity") return json::format_time(incident.first_activity);
    if (name == "last_activity") return json::format_time(incident.last_activity);
    if (name == "what_happened") return "What happened\n" + sentence(incident.summary, incident);
    if (name == "why") return why(story);
    if (name == "timeline") return timeline(story);
    if (name == "entities") return entities(incident);
    if (name == "attack") return attack(incident);
    if (name == "link") return link_back(connector, incident.number);
    return "";
}

}  // namespace

std::string defanged(std::string_view text) {
    auto plain = harmless(text);
    if (plain.starts_with("http")) plain.replace(0, 4, "hxxp");
    replace_all(plain, ".", "[.]");
    return plain;
}

std::string plain_lines(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        if (at > 0) plain += '\n';
        plain += harmless(text.substr(at, end - at));
        at = end + 1;
    }
    return plain;
}

std::string kin_line(const Kin& kin) {
    const auto number = kin.incident.value();
    switch (kin.tie) {
        case Kin::Tie::goes_on_in: return fmt::format("This incident was merged into incident {}, which goes on in its stead.", number);
        case Kin::Tie::took_in: return fmt::format("Incident {} was merged into this one.", number);
        case Kin::Tie::gave_to: return fmt::format("Findings of this incident were split off to incident {}.", number);
        case Kin::Tie::came_from: return fmt::format("The findings of this incident were split off incident {}.", number);
    }
    return "";
}

std::string link_back(const Connector& connector, engine::IncidentNumber number) {
    if (connector.console.empty()) return "";
    return fmt::format("{}/api/v1/incidents/{}", connector.console, number.value());
}

TicketText ticket_text(const Connector& connector, const TicketStory& story) {
    const auto fill = [&](std::string_view name) { return value(name, connector, story); };
    auto title = connector.title->fill(fill);
    std::ranges::replace_if(
        title, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    const auto& kind = facts_of(connector.kind);
    const auto others = kin(story);
    const auto room = kind.most_body - std::min(others.size(), kind.most_body / 2);
    return {cut(std::move(title), kind.most_title, "\u2026"), cut(connector.body->fill(fill), room, "\n\u2026 (cut; the incident has the rest)\n") + others};
}

}  // namespace catenary::api::tickets
