#pragma once

#include "engine/model/ids.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <string>

namespace catenary::tests {

/// `count` incidents as a lane leaves them. The n-th (from 1) has score (n % 4) / 4, severity n % 4, status active where n is even, was created n % 3 hours
/// after midnight of 2026-03-01, is about host:h<n % 5>, owned by "ann" where n % 7 is 0 and merged into the first where n % 10 is 0.
void add_incidents(TestDatabase& database, engine::TenantId tenant, int count);

/// `count` findings of incident 1, one a minute, every third superseded; the n-th (from 1) with `evidence` signals of which all share the first one.
void add_findings(TestDatabase& database, engine::TenantId tenant, int count, int evidence);

/// The id of the n-th finding.
std::string finding_id(int n);

}  // namespace catenary::tests
