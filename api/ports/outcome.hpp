#pragma once

#include <boost/system/result.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace catenary::api::ports {

enum class FailureCode {
    unavailable,      ///< the database cannot be reached or is too slow: 503, nothing changed
    outcome_unknown,  ///< a COMMIT was lost: close the connection without a reply
    conflict,         ///< exists with other content: 409
    not_found,        ///< 404
    stale,            ///< revision does not match: 412
    invalid,          ///< the store refuses the value; `detail` is safe to show: 422
    recorded,         ///< written to the log, but the engine did not get there in time: 202, it will take effect and need not be sent again
};
struct Failure {
    FailureCode code;
    std::string detail;        ///< safe to show; SQL and paths stay in the log
    std::string pointer = {};  ///< of `invalid`: the value of the document that is out of range; "" when it is no single one
};
template <class T>
using Outcome = boost::system::result<T, Failure>;

/// One page of a keyset list. `next`: where the following page starts, empty at the end; opaque to handlers' callers once wrapped in a Cursor.
template <class T>
struct Page {
    std::vector<T> items;
    std::optional<std::string> next;
};
/// `after`: the `next` of the page before, "" for the first.
struct PageRequest {
    std::size_t limit = 50;
    std::string after;
};

}  // namespace catenary::api::ports
