#pragma once

#include "api/adapters/adapter.hpp"
#include "api/ingest/prepared.hpp"

namespace catenary::api::adapters {

/// The body of POST /api/v1/ingest/{format}: a record, a list of records, or one a line (application/x-ndjson), each as one signal of the batch. Limits are
/// those of POST /signals, of the records and of the signals made of them. A record that gives no signal is one refused item; pointers of faults are
/// into the record. With `dry_run=true` the refusal is the answer: the signals as they would be posted, and nothing to store.
ingest::Preparation prepare(Format format, const http::Request& request, const Caller& caller, engine::Timestamp now, const ingest::IngestLimits& limits);

/// Empty for a path that is no adapter's.
std::optional<Format> format_in_path(const http::Request& request);

}  // namespace catenary::api::adapters
