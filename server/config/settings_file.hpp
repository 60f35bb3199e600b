#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::config {

/// What a TOML file says of the settings of the table. Its keys are the flags without dashes in front and with `_` for the dashes inside; numbers are
/// integers, marks booleans, everything else strings. There are no sections.
struct SettingsFile {
    struct Value {
        std::string text;   ///< as a flag would give it
        std::string where;  ///< "catenary.toml:12"
    };
    std::map<std::string, Value, std::less<>> values;  ///< by key
    std::vector<std::string> faults;                   ///< each with its place; unknown keys, wrong types, a file that cannot be read
};

/// `name`: for the places of faults.
SettingsFile parse_settings(std::string_view text, const std::string& name);
SettingsFile read_settings_file(const std::string& path);

/// "--io-threads" -> "io_threads".
std::string file_key(std::string_view flag);

}  // namespace catenary::server::config
