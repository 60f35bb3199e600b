#include "api/sigma/sigma_words.hpp"

#include "engine/model/ascii.hpp"

#include <algorithm>
#include <array>

namespace catenary::api::sigma {
namespace {

struct FieldRow {
    std::string_view field;  // in lower case
    std::string_view kind;
};
/// Names that Windows, Sysmon, Linux, cloud audit logs, proxies and the common schemas give to what identifies.
constexpr std::array<FieldRow, 72> fields{{
    {"account", "account"},
    {"accountname", "account"},
    {"actor.alternateid", "account"},
    {"client.user.name", "account"},
    {"destination.user.name", "account"},
    {"initiatedby", "account"},
    {"samaccountname", "account"},
    {"source.user.name", "account"},
    {"sourceuser", "account"},
    {"src_user", "account"},
    {"dst_user", "account"},
    {"subjectusername", "account"},
    {"subjectusersid", "account"},
    {"targetuser", "account"},
    {"targetusername", "account"},
    {"targetusersid", "account"},
    {"user", "account"},
    {"user.email", "account"},
    {"user.id", "account"},
    {"user.name", "account"},
    {"userid", "account"},
    {"useridentity.arn", "account"},
    {"useridentity.username", "account"},
    {"username", "account"},
    {"userprincipalname", "account"},
    {"computer", "host"},
    {"computername", "host"},
    {"destination.hostname", "host"},
    {"destinationhostname", "host"},
    {"device", "host"},
    {"devicename", "host"},
    {"dst_host", "host"},
    {"host", "host"},
    {"host.hostname", "host"},
    {"host.name", "host"},
    {"hostname", "host"},
    {"source.hostname", "host"},
    {"sourcehostname", "host"},
    {"src_host", "host"},
    {"workstation", "host"},
    {"workstationname", "host"},
    {"c-ip", "ip"},
    {"client.ip", "ip"},
    {"clientip", "ip"},
    {"destination.ip", "ip"},
    {"destinationip", "ip"},
    {"dst_ip", "ip"},
    {"ip", "ip"},
    {"ipaddress", "ip"},
    {"remoteaddress", "ip"},
    {"source.ip", "ip"},
    {"sourceip", "ip"},
    {"sourceipaddress", "ip"},
    {"src_ip", "ip"},
    {"s-ip", "ip"},
    {"mailbox", "mailbox"},
    {"mailboxownerupn", "mailbox"},
    {"image", "process"},
    {"process", "process"},
    {"process.executable", "process"},
    {"processname", "process"},
    {"file", "file"},
    {"file.path", "file"},
    {"targetfilename", "file"},
    {"c-uri", "url"},
    {"url", "url"},
    {"domain", "domain"},
    {"queryname", "domain"},
    {"app", "app"},
    {"appid", "app"},
    {"cloud_resource", "cloud_resource"},
    {"resourceid", "cloud_resource"},
}};

struct TacticRow {
    std::string_view name;
    std::string_view id;
};
constexpr std::array<TacticRow, 14> tactics{{{"reconnaissance", "TA0043"},
                                             {"resource-development", "TA0042"},
                                             {"initial-access", "TA0001"},
                                             {"execution", "TA0002"},
                                             {"persistence", "TA0003"},
                                             {"privilege-escalation", "TA0004"},
                                             {"defense-evasion", "TA0005"},
                                             {"credential-access", "TA0006"},
                                             {"discovery", "TA0007"},
                                             {"lateral-movement", "TA0008"},
                                             {"collection", "TA0009"},
                                             {"exfiltration", "TA0010"},
                                             {"command-and-control", "TA0011"},
                                             {"impact", "TA0040"}}};

constexpr std::string_view attack = "attack.";

bool digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, engine::is_ascii_digit); }

bool is_technique(std::string_view id) {
    return id.size() >= 5 && id[0] == 't' && digits(id.substr(1, 4)) && (id.size() == 5 || (id.size() == 9 && id[5] == '.' && digits(id.substr(6))));
}

std::string upper(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return out;
}

}  // namespace

std::optional<std::string> kind_of_field(std::string_view field) {
    const auto lower = engine::ascii_lower(field);
    const auto row = std::ranges::find(fields, std::string_view{lower}, &FieldRow::field);
    if (row == fields.end()) return std::nullopt;
    return std::string{row->kind};
}

std::optional<AttackId> attack_of_tag(std::string_view tag) {
    auto word = engine::ascii_lower(tag);
    if (!word.starts_with(attack)) return std::nullopt;
    word.erase(0, attack.size());
    if (is_technique(word)) return AttackId{upper(word), false};
    if (word.size() == 6 && word.starts_with("ta") && digits(std::string_view{word}.substr(2))) return AttackId{upper(word), true};
    std::ranges::replace(word, '_', '-');
    const auto row = std::ranges::find(tactics, std::string_view{word}, &TacticRow::name);
    if (row == tactics.end()) return std::nullopt;
    return AttackId{std::string{row->id}, true};
}

std::string tag_of_attack(std::string_view id) {
    const auto row = std::ranges::find(tactics, id, &TacticRow::id);
    return std::string{attack} + (row != tactics.end() ? std::string{row->name} : engine::ascii_lower(id));
}

}  // namespace catenary::api::sigma
