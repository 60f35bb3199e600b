#include "server/config/settings_file.hpp"

#include "api/documents/suggestion.hpp"
#include "server/config/settings.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

namespace catenary::server::config {
namespace {

std::string_view type_in_file(Setting::Kind kind) {
    switch (kind) {
        case Setting::Kind::number: return "a whole number";
        case Setting::Kind::mark: return "true or false";
        default: return "a string";
    }
}

/// The value as a flag would give it; empty when it is of another type.
std::optional<std::string> text_of(const toml::node& node, Setting::Kind kind) {
    switch (kind) {
        case Setting::Kind::number:
            if (const auto* number = node.as_integer()) return std::to_string(number->get());
            return {};
        case Setting::Kind::mark:
            if (const auto* mark = node.as_boolean()) return mark->get() ? "yes" : "no";
            return {};
        default:
            if (const auto* text = node.as_string()) return text->get();
            return {};
    }
}

class Reading {
public:
    explicit Reading(std::string name) : name_{std::move(name)} {
        for (const auto& setting : setting_table()) {
            if (setting.flag != config_flag) known_.emplace(file_key(setting.flag), &setting);  // a file does not name another one
        }
    }

    SettingsFile run(const toml::table& table) {
        for (const auto& [key, node] : table) take(std::string{key.str()}, node);
        return std::move(file_);
    }

private:
    void take(const std::string& key, const toml::node& node) {
        const auto where = fmt::format("{}:{}", name_, node.source().begin.line);
        const auto found = known_.find(key);
        if (found == known_.end()) {
            std::vector<std::string_view> keys;
            for (const auto& [known, setting] : known_) keys.push_back(known);
            file_.faults.push_back(fmt::format("{}: unknown setting \"{}\"{}", where, key, api::documents::suggestion(key, keys)));
            return;
        }
        auto text = text_of(node, found->second->kind);
        if (text) {
            file_.values.emplace(key, SettingsFile::Value{*std::move(text), where});
        } else {
            file_.faults.push_back(fmt::format("{}: {} is {}", where, key, type_in_file(found->second->kind)));
        }
    }

    std::string name_;
    std::map<std::string, const Setting*, std::less<>> known_;
    SettingsFile file_;
};

}  // namespace

std::string file_key(std::string_view flag) {
    std::string key{flag.substr(2)};
    std::replace(key.begin(), key.end(), '-', '_');
    return key;
}

SettingsFile parse_settings(std::string_view text, const std::string& name) {
    try {
        const auto table = toml::parse(text, name);
        return Reading{name}.run(table);
    } catch (const toml::parse_error& error) {
        SettingsFile file;
        file.faults.push_back(fmt::format("{}:{}: {}", name, error.source().begin.line, error.description()));
        return file;
    }
}

SettingsFile read_settings_file(const std::string& path) {
    std::ifstream input{path, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{input}, {}};
    if (input.is_open() && !input.bad()) return parse_settings(text, path);
    SettingsFile file;
    file.faults.push_back(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
    return file;
}

}  // namespace catenary::server::config
