#include "api/adapters/ecs_entities.hpp"

namespace catenary::api::adapters {
namespace {

/// The fields below one name. Asked for by whole paths, since a record may hold any part of a path as one dotted name.
class Fields {
public:
    Fields(const Node& root, std::string_view name) : root_{root}, name_{name} {}
    Node at(std::string_view field) const { return root_.at(name_ + '.' + std::string{field}); }

private:
    const Node& root_;
    std::string name_;
};

/// The first of these that becomes an entity.
void any_of(NeutralSignal& signal, std::string_view kind, const Fields& fields, std::initializer_list<std::string_view> names, std::string_view role) {
    for (const auto name : names) {
        if (signal.entity(kind, fields.at(name), role)) return;
    }
}
/// Each value of a field that may be a list.
void all_of(NeutralSignal& signal, std::string_view kind, const Node& field, std::string_view role) {
    for (const auto& value : field.items()) signal.entity(kind, value, role);
}

void user(NeutralSignal& signal, const Fields& user, std::string_view role) {
    const auto name = user.at("name").text();
    const auto domain = user.at("domain").text();
    const bool is_bare = name && name->find_first_of("@\\") == std::string::npos;
    if (is_bare && domain && signal.entity("account", *domain + '\\' + *name, {user.at("name"), user.at("domain")}, role)) return;
    if (name && !is_bare && signal.entity("account", user.at("name"), role)) return;
    any_of(signal, "account", user, {"email", "name", "id"}, role);
}

void end_of_connection(NeutralSignal& signal, const Node& root, const std::string& name, std::string_view role) {
    const Fields end{root, name};
    any_of(signal, "ip", end, {"ip", "address"}, role);
    signal.entity("domain", end.at("domain"), role);
    user(signal, {root, name + ".user"}, role);
}

}  // namespace

void read_ecs_entities(NeutralSignal& signal, const Node& root) {
    user(signal, {root, "user"}, "actor");
    user(signal, {root, "user.target"}, "target");
    any_of(signal, "host", {root, "host"}, {"name", "hostname", "id"}, "device");
    all_of(signal, "ip", root.at("host.ip"), "device");
    end_of_connection(signal, root, "source", "source");
    end_of_connection(signal, root, "client", "source");
    end_of_connection(signal, root, "destination", "target");
    end_of_connection(signal, root, "server", "target");
    signal.entity("process", root.at("process.name"), "actor");
    signal.entity("file", root.at("process.executable"), "actor");
    any_of(signal, "file", {root, "process.hash"}, {"sha256", "sha1", "md5"}, "actor");
    signal.entity("process", root.at("process.parent.name"), "parent");
    any_of(signal, "file", {root, "file"}, {"path", "name"}, "target");
    any_of(signal, "file", {root, "file.hash"}, {"sha256", "sha1", "md5"}, "target");
    any_of(signal, "url", {root, "url"}, {"full", "original"}, "target");
    signal.entity("domain", root.at("url.domain"), "target");
    signal.entity("domain", root.at("dns.question.name"), "target");
    all_of(signal, "mailbox", root.at("email.from.address"), "sender");
    all_of(signal, "mailbox", root.at("email.to.address"), "recipient");
    all_of(signal, "mailbox", root.at("email.cc.address"), "recipient");
    any_of(signal, "cloud_resource", {root, "cloud.instance"}, {"id", "name"}, "target");
    any_of(signal, "app", {root, "service"}, {"name", "id"}, "");
}

}  // namespace catenary::api::adapters
