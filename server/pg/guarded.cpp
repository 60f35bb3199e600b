#include "server/pg/guarded.hpp"

#include <spdlog/spdlog.h>

#include <new>
#include <stdexcept>

namespace catenary::server::pg {

StoreError error_in_flight() {
    // The order matters: libpqxx derives the first three from what follows them.
    try {
        throw;
    } catch (const pqxx::in_doubt_error& error) {
        return {StoreErrorCode::outcome_unknown, error.what()};
    } catch (const pqxx::transaction_rollback& error) {
        return {StoreErrorCode::retry, error.what()};
    } catch (const pqxx::broken_connection& error) {
        return {StoreErrorCode::unavailable, error.what()};
    } catch (const pqxx::unique_violation& error) {
        return {StoreErrorCode::conflict, error.what(), error.sqlstate()};
    } catch (const pqxx::insufficient_privilege& error) {
        return {StoreErrorCode::refused, error.what(), "42501"};  // libpqxx 6.4 leaves the state out of this one
    } catch (const pqxx::sql_error& error) {
        const auto& state = error.sqlstate();
        if (state == "57014") return {StoreErrorCode::too_slow, error.what(), state};
        // 08: connection; 57P: being shut down, crashed, not ready; 53: out of disk, memory or connections. The statement did nothing.
        if (state.starts_with("08") || state.starts_with("57P") || state.starts_with("53")) return {StoreErrorCode::unavailable, error.what(), state};
        // Bytes that are not UTF-8, or a NUL: no row can hold them.
        if (state == "22021" || state == "22P05") return {StoreErrorCode::invalid, "text must be UTF-8 without NUL", state};
        if (state.starts_with("40")) return {StoreErrorCode::retry, error.what(), state};
        return {StoreErrorCode::refused, error.what(), state};
    } catch (const pqxx::failure& error) {  // statement_completion_unknown and such: not told what happened
        return {StoreErrorCode::unavailable, error.what()};
    } catch (const std::invalid_argument& error) {  // a row holds text that we have not written
        return {StoreErrorCode::refused, error.what()};
    }
}

std::string_view to_string(StoreErrorCode code) {
    switch (code) {
        case StoreErrorCode::unavailable: return "unavailable";
        case StoreErrorCode::outcome_unknown: return "outcome_unknown";
        case StoreErrorCode::retry: return "retry";
        case StoreErrorCode::too_slow: return "too_slow";
        case StoreErrorCode::conflict: return "conflict";
        case StoreErrorCode::not_now: return "not_now";
        case StoreErrorCode::refused: return "refused";
        case StoreErrorCode::stale: return "stale";
        case StoreErrorCode::not_found: return "not_found";
        case StoreErrorCode::invalid: return "invalid";
        case StoreErrorCode::not_applied: return "not_applied";
        case StoreErrorCode::refused_by_engine: return "refused_by_engine";
    }
    return "unknown";
}

api::ports::Failure to_failure(const StoreError& error, std::string_view operation) {
    using api::ports::Failure;
    using api::ports::FailureCode;
    switch (error.code) {
        case StoreErrorCode::stale: return Failure{FailureCode::stale, error.detail};
        case StoreErrorCode::not_found: return Failure{FailureCode::not_found, error.detail};
        case StoreErrorCode::invalid: return Failure{FailureCode::invalid, error.detail, error.pointer};
        case StoreErrorCode::not_applied: return Failure{FailureCode::recorded, error.detail};
        case StoreErrorCode::not_now:
        case StoreErrorCode::refused_by_engine: return Failure{FailureCode::conflict, error.detail};
        case StoreErrorCode::conflict: return Failure{FailureCode::conflict, "it exists already"};
        default: break;
    }
    spdlog::warn("event=store_error operation={} code={} sqlstate={} detail=\"{}\"", operation, to_string(error.code), error.sqlstate, error.detail);
    if (error.sqlstate == "53100") return Failure{FailureCode::unavailable, "the database has no room left on its disk; nothing was changed"};
    switch (error.code) {
        case StoreErrorCode::outcome_unknown: return Failure{FailureCode::outcome_unknown, "the database did not say whether the change was made"};
        case StoreErrorCode::too_slow:
            return Failure{FailureCode::unavailable, "the database took too long: ask for less (a narrower time range) or try again"};
        case StoreErrorCode::refused: return Failure{FailureCode::unavailable, "the database refused the operation; the log has the reason"};
        case StoreErrorCode::retry: return Failure{FailureCode::unavailable, "the database was busy: try again"};
        default: return Failure{FailureCode::unavailable, "the database cannot be reached at the moment"};
    }
}

}  // namespace catenary::server::pg
