"""What schemathesis loads: requests for what both tenants have, and the checks that the document cannot state.

CONTRACT_SEED names a JSON file: {"own": {...}, "foreign": {...}}, each as seed.py returns it. `own` is the tenant whose key is used.
"""

import json
import os
import random
import urllib.parse

import schemathesis

with open(os.environ["CONTRACT_SEED"], encoding="utf-8") as file:
    SEED = json.load(file)
OWN, FOREIGN = SEED["own"], SEED["foreign"]

# Whatever an operation does, these may be the answer; the document says so once (`default`), which would let everything pass.
ANYWHERE = {400, 401, 403, 404, 405, 406, 411, 413, 414, 415, 429, 431}
WITH_IDEMPOTENCY_KEY = {409, 422}
CHOICE = random.Random(20260307)


def known_paths(path):
    """Path parameters that exist for the own tenant, and for the foreign one alone."""
    for tenant in (OWN, FOREIGN):
        if path.startswith("/api/v1/signals/"):
            yield from ({"source": tenant["source"], "id": signal} for signal in tenant["signals"])
        elif path.startswith("/api/v1/entities/"):
            yield from ({"kind": kind, "value": value} for kind, value in tenant["entities"])
        elif path.startswith("/api/v1/incidents/"):
            yield from ({"number": number} for number in tenant["incidents"])
        elif path.startswith("/api/v1/findings/"):
            yield from ({"id": finding} for finding in tenant["findings"])
        elif path.startswith("/api/v1/patterns/{id}"):
            yield from ({"id": pattern} for pattern in [*tenant["patterns"], "risky-sign-in-then-inbox-rule"])
        elif path.startswith("/api/v1/keys/"):
            yield from ({"id": key} for key in tenant["spare_keys"])


def known_queries(path):
    for tenant in (OWN, FOREIGN):
        kind, value = tenant["entities"][0]
        if path == "/api/v1/signals":
            yield from ({"source": tenant["source"]}, {"entity": f"{kind}:{value}"})
        elif path == "/api/v1/incidents":
            yield from ({"entity": f"{kind}:{value}"}, {"pattern": tenant["patterns"][0]}, {"q": tenant["source"]})
        elif path == "/api/v1/findings":
            yield from ({"entity": f"{kind}:{value}"}, {"pattern": tenant["patterns"][0]})
        elif path == "/api/v1/patterns/export":
            yield {"id": tenant["patterns"][0]}
        elif path == "/api/v1/entities":
            yield {"prefix": value[:4]}
        elif path == "/api/v1/audit":
            yield from ({"target": tenant["patterns"][0]}, {"actor": tenant["key_id"]})
        for cursor_path, cursor in tenant["cursors"].items():
            if cursor_path == path:
                yield {"cursor": cursor}


@schemathesis.hook
def map_case(context, case):
    """Every other positive request asks for something that one of the two tenants has: random names are nearly always answered 404."""
    if case.meta is not None and case.meta.generation.mode is not schemathesis.GenerationMode.POSITIVE:
        return case
    paths = list(known_paths(case.path))
    if case.path == "/api/v1/entities/{kind}/{value}" and case.method.upper() == "PUT":
        paths = [{"kind": kind, "value": value} for kind, value in OWN["entities"]]  # a note makes the entity one's own
    if paths and CHOICE.random() < 0.6:
        case.path_parameters = {**(case.path_parameters or {}), **CHOICE.choice(paths)}
    queries = list(known_queries(case.path))
    if queries and case.method.upper() == "GET" and CHOICE.random() < 0.5:
        case.query = {**(case.query or {}), **CHOICE.choice(queries)}
    return case


def spared(case):
    """The key that the run itself uses is not taken away under it."""
    return OWN["key_id"] not in str((case.path_parameters or {}).get("id", "")) or case.method.upper() not in ("DELETE", "POST")


@schemathesis.hook
def filter_case(context, case):
    return spared(case)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """What the tool takes for a fault and is none."""
    kind = type(failure).__name__
    if kind == "AcceptedNegativeData":
        # Refused is refused, whatever comes first: a stale If-Match (412), a body that is too large (413). And a dry run shows what is wrong instead of refusing it.
        dry_run = str((case.query or {}).get("dry_run", "")).lower() == "true"
        return response.status_code < 400 and not dry_run
    if kind == "UnsupportedMethodResponse":
        # The gate takes a body with four methods only and refuses any other request that has one before it looks at the path.
        bodiless = response.request.method not in ("POST", "PUT", "PATCH", "DELETE")
        return not (bodiless and response.request.body and response.status_code == 400)
    return True


def sent_text(response):
    """The request as it went out, in the spellings in which a reply may repeat it."""
    request = response.request
    body = request.body or b""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    headers = " ".join(f"{name}: {value}" for name, value in request.headers.items())
    url = request.url or ""
    for _ in range(3):
        url += " " + urllib.parse.unquote_plus(url.rsplit(" ", 1)[-1])
    return " ".join((url, headers, text))


@schemathesis.check
def nothing_of_the_other_tenant(ctx, response, case):
    reply = response.text + " ".join(f"{name}: {value}" for name, value in response.headers.items())
    assert FOREIGN["secret"] not in reply, f"what the other tenant wrote ({FOREIGN['secret']}) is in a reply"
    if FOREIGN["handle"] in reply:
        assert FOREIGN["handle"] in sent_text(response), f"a name of the other tenant ({FOREIGN['handle']}) is in a reply to a request without it"


@schemathesis.check
def status_is_expected(ctx, response, case):
    """Every status is one that the operation lists, or one of those that any operation may answer."""
    listed = {int(status) for status in case.operation.definition.raw.get("responses", {}) if str(status).isdigit()}
    allowed = listed | ANYWHERE
    if any(name.lower() == "idempotency-key" for name in response.request.headers):
        allowed = allowed | WITH_IDEMPOTENCY_KEY
    assert response.status_code in allowed, f"{response.status_code} is not among {sorted(allowed)}"


@schemathesis.check
def replies_have_the_common_form(ctx, response, case):
    headers = {name.lower(): value[0] if isinstance(value, list) else value for name, value in response.headers.items()}
    assert headers.get("x-request-id"), "no X-Request-Id"
    if response.status_code < 400 or response.request.method == "HEAD" or response.status_code == 422 and "problem" not in headers.get("content-type", ""):
        return
    assert headers.get("content-type", "").startswith("application/problem+json"), f"an error as {headers.get('content-type')}"
    problem = json.loads(response.text)
    assert problem["status"] == response.status_code, "another status in the body"
    assert problem["type"].startswith("urn:catenary:problem:"), f"type {problem['type']}"
    assert problem["request_id"] == headers["x-request-id"], "another request_id in the body"
    if response.status_code == 401:
        assert headers.get("www-authenticate"), "401 without WWW-Authenticate"
    if response.status_code == 405:
        assert headers.get("allow"), "405 without Allow"
    if response.status_code in (429, 503):
        assert headers.get("retry-after"), f"{response.status_code} without Retry-After"
