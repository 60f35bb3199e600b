#pragma once

#include "api/adapters/neutral.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace catenary::api::adapters {

enum class Format { ocsf, cloudevents, ecs };

/// One record of a format as a signal; pure, the same record always gives the same signal. `source`: of the signal, instead of what the record names;
/// "" for what it names. The mapping is in the README beside this file.
Adapted adapt(Format format, nlohmann::json record, const std::string& source);

Adapted adapt_ocsf(Record& record, const std::string& source);
Adapted adapt_cloudevent(Record& record, const std::string& source);
Adapted adapt_ecs(Record& record, const std::string& source);

// Confidence where a record states none: how likely such a report alone is malicious.

/// A detection: something was found noteworthy. What POST /signals takes for unsaid: it supports a pattern and opens no incident by itself.
constexpr double detection_confidence = 0.1;
/// An event that nobody has judged: the default base rate, so it weighs nothing by itself.
constexpr double event_confidence = 0.01;

}  // namespace catenary::api::adapters
