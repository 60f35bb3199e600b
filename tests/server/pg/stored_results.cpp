#include "tests/server/pg/stored_results.hpp"

#include "api/json/record_text.hpp"

#include <fmt/format.h>

namespace catenary::tests {

void add_incidents(TestDatabase& database, engine::TenantId tenant, int count) {
    database.run(fmt::format(R"(
        INSERT INTO incident (tenant, number, title, summary, severity, score, status, classification, classification_reason, owner, tactics, techniques,
                              domains, patterns, entity_keys, principals, entities, entity_total, first_activity, last_activity, created, updated,
                              signal_count, finding_count, revision, merged_into, related, position)
        SELECT {0}, n, 'Incident ' || n, 'What happened', n % 4, (n % 4) / 4.0, CASE WHEN n % 2 = 0 THEN 'active' ELSE 'new' END,
               CASE WHEN n = 3 THEN 'true_positive' END, '', CASE WHEN n % 7 = 0 THEN 'ann' ELSE '' END, '{{TA0001}}', ARRAY['T' || n % 2], '{{identity}}',
               ARRAY['pattern-' || n % 2], ARRAY['host:h' || n % 5], '[]', '{2}', 1, t, t + n * interval '1 minute', t, t + n * interval '1 second', n, 1, 1,
               CASE WHEN n % 10 = 0 THEN 1 END, CASE WHEN n = 2 THEN '{{1,3}}' ELSE '{{}}' END::int8[], n
        FROM (SELECT n, timestamptz '2026-03-01 00:00:00+00' + (n % 3) * interval '1 hour' AS t FROM generate_series(1, {1}) n) made;
        INSERT INTO incident_activity (tenant, number, position, line, at, actor, what, detail)
        SELECT {0}, 1, 10 + n / 3, n % 3, now(), 'catenary', 'evidence_added', 'line ' || n FROM generate_series(0, 9) n)",
                             tenant.value(), count, api::json::entity_keys_to_text({{"host", "h1"}})));
}

void add_findings(TestDatabase& database, engine::TenantId tenant, int count, int evidence) {
    engine::Score score;
    score.prior_bits = -6.629356620079623;
    score.contributions = {{"access", 5.74, "own confidence 0.35"}};
    score.total_bits = -0.889356620079623;
    engine::StageSummary stage;
    stage.id = "access";
    stage.count = 1;
    for (int n = 1; n <= count; ++n) {
        database.run(fmt::format(R"(
            INSERT INTO finding (tenant, id, pattern, version, mode, state, title, summary, severity, score, incident, start_time, end_time, evidence_total,
                                 tactics, techniques, domains, principal_keys, principals, stages, score_detail, position)
            SELECT {0}, '{1}', 'pattern-' || {2} % 2, 1, CASE WHEN {2} % 5 = 0 THEN 'flighting' ELSE 'production' END,
                   CASE WHEN {2} % 3 = 0 THEN 'superseded' ELSE 'open' END, 'Finding {2}', 'What happened', 2, 0.35, 1, t, t + interval '1 hour', {3},
                   '{{TA0001}}', '{{}}', '{{identity}}', ARRAY['account:a' || {2} % 2], '{4}', '{5}', '{6}', {2}
            FROM (SELECT timestamptz '2026-03-01 00:00:00+00' + {2} * interval '1 minute' AS t) made;
            INSERT INTO finding_evidence (tenant, finding, time, source, source_id, stage, key, domain, name, title, tactics, techniques, severity, confidence,
                                          count, entities, attributes, shown, received)
            SELECT {0}, '{1}', timestamptz '2026-03-01 00:00:00+00' + n * interval '1 second', 'edr', CASE WHEN n = 0 THEN 'shared' ELSE '{2}/' || n END, 'access',
                   gen_random_uuid(), 'identity', 'sign_in', 'A sign-in', '{{TA0001}}', '{{}}', 1, 0.35, 1,
                   '[{{"kind":"account","value":"a","role":"actor","identifies":true}}]', NULL, NULL, now()
            FROM generate_series(0, {3} - 1) n)",
                                 tenant.value(), finding_id(n), n, evidence, api::json::entity_keys_to_text({{"account", "a" + std::to_string(n % 2)}}),
                                 api::json::stages_to_text({stage}), api::json::score_to_text(score)));
    }
}

std::string finding_id(int n) { return fmt::format("00000000-0000-5000-8000-{:012}", n); }

}  // namespace catenary::tests
