#include "server/pg/dsn.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <memory>

namespace catenary::server::pg {
namespace {

std::string quoted(std::string_view value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + "'";
}

}  // namespace

Started<Dsn> Dsn::parse(const std::string& text) {
    char* complaint = nullptr;
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options{PQconninfoParse(text.c_str(), &complaint), PQconninfoFree};
    const std::unique_ptr<char, void (*)(void*)> owned_complaint{complaint, PQfreemem};
    if (!options) return StartFailure{"the database URL cannot be read; expected postgresql://user:password@host:port/database or key=value pairs"};
    std::map<std::string, std::string> parameters;
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) parameters.emplace(option->keyword, option->val);
    }
    return Dsn{std::move(parameters)};
}

Dsn Dsn::with(std::string_view parameter, std::string value) const {
    auto parameters = parameters_;
    parameters.insert_or_assign(std::string{parameter}, std::move(value));
    return Dsn{std::move(parameters)};
}

Dsn Dsn::with_setting(std::string_view name, std::string_view value) const {
    std::string escaped;  // inside `options` a space separates and a backslash escapes
    for (const char c : value) {
        if (c == ' ' || c == '\\') escaped += '\\';
        escaped += c;
    }
    const auto before = parameter("options");
    return with("options", fmt::format("{}{}-c {}={}", before, before.empty() ? "" : " ", name, escaped));
}

std::string Dsn::text() const {
    std::string text;
    for (const auto& [name, value] : parameters_) {
        if (!text.empty()) text += ' ';
        text += name + '=' + quoted(value);
    }
    return text;
}

std::string Dsn::shown() const {
    return fmt::format("user={} host={} port={} dbname={}", parameter("user"), parameter("host"), parameter("port"), parameter("dbname"));
}

std::string Dsn::parameter(std::string_view name) const {
    const auto found = parameters_.find(std::string{name});
    return found == parameters_.end() ? std::string{} : found->second;
}

}  // namespace catenary::server::pg
