#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace catenary::server {

/// A statement failed. `broken`: the connection is gone with it, and with it the transaction.
class PqError : public std::runtime_error {
public:
    PqError(const std::string& message, std::string sqlstate, bool broken) : std::runtime_error{message}, sqlstate_{std::move(sqlstate)}, broken_{broken} {}
    const std::string& sqlstate() const { return sqlstate_; }  ///< "" when the server did not say
    bool broken() const { return broken_; }

private:
    std::string sqlstate_;
    bool broken_;
};

/// The database has no room left on its disk: it says so by SQLSTATE, and where a session cannot even begin, or through libpqxx, perhaps only in words.
inline bool says_storage_full(std::string_view reason) { return reason.find("No space left on device") != std::string_view::npos; }
inline bool is_storage_full(const PqError& error) { return error.sqlstate() == "53100" || says_storage_full(error.what()); }

}  // namespace catenary::server
