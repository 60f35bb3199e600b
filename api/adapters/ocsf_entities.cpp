#include "api/adapters/ocsf_entities.hpp"

namespace catenary::api::adapters {
namespace {

/// The first of these that becomes an entity.
void any_of(NeutralSignal& signal, std::string_view kind, const Node& object, std::initializer_list<std::string_view> members, std::string_view role) {
    for (const auto member : members) {
        if (signal.entity(kind, object.at(member), role)) return;
    }
}

/// The most telling name: one with a domain, then the mail address, then the bare name, then the number.
void user(NeutralSignal& signal, const Node& user, std::string_view role) {
    if (!user) return;
    const auto name = user.at("name").text();
    const auto domain = user.at("domain").text();
    const bool is_bare = name && name->find_first_of("@\\") == std::string::npos;
    if (is_bare && domain && signal.entity("account", *domain + '\\' + *name, {user.at("name"), user.at("domain")}, role)) return;
    if (name && !is_bare && signal.entity("account", user.at("name"), role)) return;
    any_of(signal, "account", user, {"email_addr", "name", "uid"}, role);
}

void file(NeutralSignal& signal, const Node& file, std::string_view role) {
    any_of(signal, "file", file, {"path", "name"}, role);
    for (const auto& hash : file.at("hashes").items()) signal.entity("file", hash.at("value"), role);
}

void process(NeutralSignal& signal, const Node& process, std::string_view role) {
    if (!process) return;
    signal.entity("process", process.at("name"), role);
    file(signal, process.at("file"), role);
    user(signal, process.at("user"), role);
}

void device(NeutralSignal& signal, const Node& device, std::string_view role) {
    any_of(signal, "host", device, {"hostname", "name", "uid"}, role);
    signal.entity("ip", device.at("ip"), role);
}

void endpoint(NeutralSignal& signal, const Node& endpoint, std::string_view role) {
    signal.entity("ip", endpoint.at("ip"), role);
    any_of(signal, "host", endpoint, {"hostname", "name"}, role);
    signal.entity("domain", endpoint.at("domain"), role);
}

void email(NeutralSignal& signal, const Node& email) {
    signal.entity("mailbox", email.at("from"), "sender");
    for (const auto& to : email.at("to").items()) signal.entity("mailbox", to, "recipient");
    for (const auto& cc : email.at("cc").items()) signal.entity("mailbox", cc, "recipient");
}

/// What an event and each of its evidences may speak of.
void objects(NeutralSignal& signal, const Node& root) {
    user(signal, root.at("actor.user"), "actor");
    process(signal, root.at("actor.process"), "actor");
    user(signal, root.at("user"), root.at("actor.user") ? "target" : "actor");
    device(signal, root.at("device"), "device");
    endpoint(signal, root.at("src_endpoint"), "source");
    endpoint(signal, root.at("dst_endpoint"), "target");
    process(signal, root.at("process"), "target");
    file(signal, root.at("file"), "target");
    signal.entity("url", root.at("url.url_string"), "target");
    signal.entity("url", root.at("http_request.url.url_string"), "target");
    signal.entity("domain", root.at("query.hostname"), "target");
    email(signal, root.at("email"));
    any_of(signal, "app", root, {"actor.app_name", "app_name", "service.name", "api.service.name"}, "");
    for (const auto* name : {"resource", "resources"}) {
        for (const auto& resource : root.at(name).items()) any_of(signal, "cloud_resource", resource, {"uid", "name"}, "target");
    }
}

/// Kinds of observables by their type; other types stay in the attributes.
std::string_view kind_of(std::int64_t type) {
    switch (type) {
        case 1: return "host";  // hostname
        case 2: return "ip";
        case 4: return "account";  // user name
        case 5: return "mailbox";  // mail address
        case 6: return "url";
        case 7:                 // file name
        case 8: return "file";  // hash
        case 9: return "process";
        case 10: return "cloud_resource";
        default: return "";
    }
}

void observable(NeutralSignal& signal, const Node& observable) {
    const auto kind = kind_of(observable.at("type_id").integer().value_or(0));
    if (!kind.empty()) signal.entity(kind, observable.at("value"), "");
}

}  // namespace

void read_ocsf_entities(NeutralSignal& signal, const Node& root) {
    objects(signal, root);
    for (const auto& evidence : root.at("evidences").items()) objects(signal, evidence);
    for (const auto& each : root.at("observables").items()) observable(signal, each);
}

}  // namespace catenary::api::adapters
