#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace catenary::server::pg {

/// Why the server cannot start, told to the operator: names the file, folder or role at fault and what to do about it. Never shown to API clients.
struct StartFailure {
    std::string message;
};
template <class T>
using Started = boost::system::result<T, StartFailure>;

}  // namespace catenary::server::pg
