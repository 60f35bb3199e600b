"""Two tenants, each with something of every kind, marked so that it is recognised wherever it turns up."""

import json
import time
import urllib.error
import urllib.request
import uuid


class Api:
    def __init__(self, url, key):
        self.url, self.key = url, key

    def ask(self, method, path, body=None):
        """The reply as JSON; anything but 2xx ends the run."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if self.key:
            request.add_header("Authorization", "Bearer " + self.key)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as error:
            raise SystemExit(f"seeding: {method} {path}: {error.code} {error.read().decode()}") from error


def seed(url, admin_key, name):
    """Makes the tenant `name`. Its `handle` is in what it is asked by (ids, names, entities), its `secret` in everything else that it wrote."""
    handle, secret = f"handle{uuid.uuid4().hex[:12]}", f"secret{uuid.uuid4().hex[:12]}"
    key = Api(url, admin_key).ask("POST", "/api/v1/tenants", {"name": f"{name} {secret}"})["key"]
    api = Api(url, key)
    source, account = f"src-{handle}", f"{handle}@{name}.example"
    signals = []
    for number, (signal, domain) in enumerate([("impossible_travel", "identity"), ("suspicious_inbox_rule", "email")] * 3):
        signals.append(
            {
                "id": f"{handle}-{number}",
                "source": source,
                "time": f"2026-03-0{4 + number // 2}T07:{10 * (number % 2):02}:00Z",
                "domain": domain,
                "name": signal,
                "title": f"{secret} title",
                "confidence": 0.35,
                "entities": [
                    {"kind": "account", "value": account, "role": "actor"},
                    {"kind": "host", "value": f"{handle}-{number // 2}"},
                    {"kind": "file", "value": f"/home/{secret}"},
                ],
                "attributes": {"note": secret, secret: [1, {"deep": secret}]},
            }
        )
    api.ask("POST", "/api/v1/signals", signals)
    pattern = f"p-{handle}"
    document = {
        "id": pattern,
        "title": f"{secret} pattern",
        "within": "1h",
        "link": {"same": ["account"]},
        "stages": [{"id": "a", "match": {"name": "impossible_travel"}}, {"id": "b", "match": {"name": "suspicious_inbox_rule"}}],
    }
    api.ask("POST", "/api/v1/patterns", document | {"effective_from": "2026-03-01T00:00:00Z"})
    api.ask("PUT", f"/api/v1/entities/account/{account}", {"tags": [secret], "criticality": "high", "facts": {"note": secret}})
    spare = api.ask("POST", "/api/v1/keys", {"scopes": ["signals:read"], "sources": [f"{secret}-source"]})
    deadline = time.monotonic() + 60
    while api.ask("GET", "/api/v1/diagnostics")["lag"]["signals"] or not (incidents := api.ask("GET", "/api/v1/incidents")["items"]):
        if time.monotonic() > deadline:
            raise SystemExit("seeding: no incident after a minute")
        time.sleep(0.1)
    numbers = [incident["number"] for incident in incidents]
    for number in numbers:
        api.ask("PATCH", f"/api/v1/incidents/{number}", {"owner": secret, "labels": [secret], "title": f"{secret} incident"})
        api.ask("POST", f"/api/v1/incidents/{number}/comments", {"text": secret})
    api.ask("PUT", "/api/v1/settings", {"lateness": "3h"})
    cursors = {}
    for path in ("/api/v1/signals", "/api/v1/incidents", "/api/v1/findings", "/api/v1/audit", "/api/v1/entities"):
        cursors[path] = api.ask("GET", path + "?limit=1")["next_cursor"]
    return {
        "key": key,
        "key_id": key.split("_")[1],
        "spare_keys": [spare["id"]],
        "handle": handle,
        "secret": secret,
        "source": source,
        "signals": [signal["id"] for signal in signals],
        "entities": [["account", account], ["host", f"{handle}-0"]],
        "incidents": numbers,
        "findings": [finding["id"] for finding in api.ask("GET", "/api/v1/findings")["items"]],
        "patterns": [pattern],
        "cursors": {path: cursor for path, cursor in cursors.items() if cursor},
    }
