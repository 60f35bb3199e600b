#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

namespace catenary::api::handlers {

/// What ships and what the tenant has posted, by id.
http::Response list_patterns(const http::Request& request, const Caller& caller, ports::Services& services);
/// The newest version. As YAML where Accept prefers it: the document alone, ready to be edited and put back.
http::Response get_pattern(const http::Request& request, const Caller& caller, ports::Services& services);
/// Newest first. A retired pattern still has its versions: findings name them.
http::Response list_pattern_versions(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response get_pattern_version(const http::Request& request, const Caller& caller, ports::Services& services);

/// Stores version 1 and puts it in force; 409 when the id is taken, by what ships too.
http::Response add_pattern(const http::Request& request, const Caller& caller, ports::Services& services);
/// Stores the next version in the mode of the one it replaces unless the document says another. The document in force again changes nothing.
http::Response replace_pattern(const http::Request& request, const Caller& caller, ports::Services& services);
/// Gives a version (the newest unless another is named) a mode: off, on trial beside the one in production, or into production; what ships too. The mode it has already
/// changes nothing.
http::Response deploy_pattern(const http::Request& request, const Caller& caller, ports::Services& services);
/// Retires one of the tenant's own.
http::Response remove_pattern(const http::Request& request, const Caller& caller, ports::Services& services);
/// Says what `add_pattern` would store and how the document's examples end, and stores nothing.
http::Response validate_pattern(const http::Request& request, const Caller& caller, ports::Services& services);

/// Stores correlation rules of another language as patterns (`dry_run`: shows them), and says what of each was not carried over.
http::Response import_patterns(const http::Request& request, const Caller& caller, ports::Services& services);
/// Patterns in another language: those named by `id`, 422 where one cannot be said in it, or all of them but those, which a comment names.
http::Response export_patterns(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
