#include "api/ports/caller.hpp"

namespace catenary::api {

std::string_view to_string(Scope scope) {
    switch (scope) {
        case Scope::none: return "none";
        case Scope::signals_write: return "signals:write";
        case Scope::signals_read: return "signals:read";
        case Scope::incidents_read: return "incidents:read";
        case Scope::incidents_write: return "incidents:write";
        case Scope::catalogue_write: return "catalogue:write";
        case Scope::tickets_write: return "tickets:write";
        case Scope::admin: return "admin";
    }
    return "none";
}

}  // namespace catenary::api
