#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <vector>

namespace catenary::engine {

/// Why an input was refused. The HTTP layer maps each to a status and to the stable `code` of a problem's `errors`.
enum class FaultCode {
    missing,        ///< a required member is absent: the client must add it
    unknown_field,  ///< a member, field, operator or parameter nobody reads: the client must remove or correct it
    wrong_type,     ///< right member, wrong JSON type
    out_of_range,   ///< right type, value outside what is allowed
    malformed,      ///< not parseable as what it claims to be (time, address, regular expression, JSON)
    conflict,       ///< contradicts something else in the document or what is stored
    too_large,      ///< exceeds a documented cap
    unsupported,    ///< part of the language that this version refuses rather than ignores
};

/// The wire word of a code, e.g. "out_of_range". Stable.
const char* to_string(FaultCode code);

/// One thing wrong with an input.
struct Fault {
    FaultCode code;
    std::string pointer;  ///< JSON pointer (RFC 6901) of the value at fault, "/stages/2/within"; "" is the whole document
    std::string detail;   ///< for people: what was given, what is allowed; never parsed

    bool operator==(const Fault&) const = default;
};
using Faults = std::vector<Fault>;

template <class T>
using Result = boost::system::result<T, Fault>;

/// For `Result::value()` on a fault (found by ADL): throws std::invalid_argument with pointer and detail.
[[noreturn]] void throw_exception_from_error(const Fault& fault, const boost::source_location& where);

}  // namespace catenary::engine
