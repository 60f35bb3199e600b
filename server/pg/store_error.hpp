#pragma once

#include "api/ports/ports.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace catenary::server::pg {

enum class StoreErrorCode {
    unavailable,        ///< no connection, or it broke before COMMIT: nothing changed, try again later
    outcome_unknown,    ///< it broke during COMMIT: may have happened; only the caller knows how to find out
    retry,              ///< serialisation failure or deadlock: nothing changed, the same transaction may be run again at once
    too_slow,           ///< statement time-out or no connection free before the deadline: nothing changed
    conflict,           ///< a unique key exists already
    refused,            ///< the database refuses the statement or a value: our fault, or the schema's
    stale,              ///< decided by the store itself: the revision does not match
    not_found,          ///< decided by the store itself: no such row of this tenant
    invalid,            ///< decided by the store itself: `detail` is safe to show
    not_now,            ///< decided by the store itself: what there is does not allow it; `detail` is safe to show
    not_applied,        ///< recorded, but the lane did not get there in time; `detail` is safe to show
    refused_by_engine,  ///< recorded, and the engine says why it changes nothing; `detail` is safe to show
};
std::string_view to_string(StoreErrorCode code);

struct StoreError {
    StoreErrorCode code;
    std::string detail;         ///< for the log; shown to clients only for what the store or the engine decides
    std::string sqlstate = {};  ///< "" when the server did not say
    std::string pointer = {};   ///< of `invalid`: of the value in the client's document, as in ports::Failure
};
template <class T>
using StoreResult = boost::system::result<T, StoreError>;

/// What a client may know of an error: codes become the ports' codes, SQL never leaves. Logs what is withheld as event `store_error`, with `operation`.
api::ports::Failure to_failure(const StoreError& error, std::string_view operation);

template <class T>
api::ports::Outcome<T> to_outcome(StoreResult<T> result, std::string_view operation) {
    if (result) return *std::move(result);
    return to_failure(result.error(), operation);
}

}  // namespace catenary::server::pg
