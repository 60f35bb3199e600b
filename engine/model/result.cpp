#include "engine/model/result.hpp"

#include <stdexcept>

namespace catenary::engine {

const char* to_string(FaultCode code) {
    switch (code) {
        case FaultCode::missing: return "missing";
        case FaultCode::unknown_field: return "unknown_field";
        case FaultCode::wrong_type: return "wrong_type";
        case FaultCode::out_of_range: return "out_of_range";
        case FaultCode::malformed: return "malformed";
        case FaultCode::conflict: return "conflict";
        case FaultCode::too_large: return "too_large";
        case FaultCode::unsupported: return "unsupported";
    }
    return "malformed";
}

void throw_exception_from_error(const Fault& fault, const boost::source_location&) { throw std::invalid_argument(fault.pointer + ": " + fault.detail); }

}  // namespace catenary::engine
