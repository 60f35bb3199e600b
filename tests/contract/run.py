"""Fuzzes a server through its own contract, with the keys of two tenants by turns.

usage: run.py PROGRAM DOCUMENT WORK_FOLDER

Starts `PROGRAM serve` with a private PostgreSQL in a temporary folder, seeds two tenants (seed.py) and lets schemathesis send what DOCUMENT allows and what it
forbids: as each tenant in turn, asking for what the other one has too (hooks.py), and as the operator for what only the operator may. Prints one figure; ends
with 1 when anything failed. CONTRACT_EXAMPLES: random requests an operation and run, CONTRACT_SEED_NUMBER: of the random requests.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import seed

HERE = pathlib.Path(__file__).parent
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,"
    "negative_data_rejection,missing_required_header,unsupported_method,allow_header_conformance,use_after_free,ignored_auth,"
    "nothing_of_the_other_tenant,status_is_expected,replies_have_the_common_form"
)


@contextlib.contextmanager
def serving(program, folder):
    """(url, the operator's key) of a server of our own, which then has to end in good order."""
    log = folder / "server.log"
    with open(log, "wb") as out:
        server = subprocess.Popen(
            [program, "serve", "--data-dir", str(folder / "data"), "--listen", "127.0.0.1:0"], stdout=out, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 120
        while not (said := re.search(r"listening on (http://[^ \r\n\"]+)", log.read_text(errors="replace"))):
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server does not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        while True:
            with contextlib.suppress(SystemExit):
                seed.Api(said[1], "").ask("GET", "/readyz")
                break
            if time.monotonic() > deadline:
                raise SystemExit(f"the server does not become ready:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        yield said[1], (folder / "data" / "admin.key").read_text().strip()
        if server.poll() is not None:
            raise SystemExit(f"the server ended with {server.returncode}:\n{log.read_text(errors='replace')[-4000:]}")
    finally:
        server.terminate()
        try:
            ended = server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            ended = server.wait()
    if ended != 0:
        raise SystemExit(f"the server ended with {ended}")


def fuzz(document, url, own, foreign, work, name, flags):
    """One run; (requests, operations, failures)."""
    plan = work / f"{name}.seed.json"
    plan.write_text(json.dumps({"own": own, "foreign": foreign}))
    report = work / f"{name}.ndjson"
    report.unlink(missing_ok=True)
    command = [
        *(str(pathlib.Path(sys.executable).parent / "schemathesis"), "run", document, "--url", url),
        *("--header", f"Authorization: Bearer {own['key']}", "--checks", CHECKS, "--workers", "1", "--request-timeout", "20"),
        *("--max-examples", os.environ.get("CONTRACT_EXAMPLES") or "5", "--seed", os.environ.get("CONTRACT_SEED_NUMBER") or "1"),
        *("--continue-on-failure", "--no-shrink", "--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off"),
        *("--no-color", "--report", "ndjson", "--report-ndjson-path", str(report)),
        *flags,
    ]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "CONTRACT_SEED": str(plan)}
    ended = subprocess.run(command, env=environment, cwd=work, capture_output=True, text=True, check=False)
    (work / f"{name}.log").write_text(ended.stdout + ended.stderr)
    requests = int(m[1]) if (m := re.search(r"([\d,]+) generated", ended.stdout.replace(",", ""))) else 0
    operations = int(m[1]) if (m := re.search(r"Tested: (\d+)", ended.stdout)) else 0
    failures = int(m[1]) if (m := re.search(r"(\d+) unique failures?", ended.stdout)) else 0
    if ended.returncode != 0:
        print(ended.stdout[-20000:] + ended.stderr[-4000:])
        failures = max(failures, 1)
    if requests == 0 or operations == 0:
        print(ended.stdout[-4000:] + ended.stderr[-4000:])
        raise SystemExit(f"{name}: nothing was tested")
    return requests, operations, failures


def main():
    program, document, work = sys.argv[1], str(pathlib.Path(sys.argv[2]).resolve()), pathlib.Path(sys.argv[3]).resolve()
    work.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="catenary-contract-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL runs as another user when we are root
        with serving(program, pathlib.Path(folder)) as (url, admin_key):
            a, b = seed.seed(url, admin_key, "a"), seed.seed(url, admin_key, "b")
            tenants_only = ("--include-path", "/api/v1/tenants")
            runs = [
                fuzz(document, url, a, b, work, "a", ()),
                fuzz(document, url, b, a, work, "b", ()),
                # The operator may see every tenant's name: nothing is foreign to it there.
                fuzz(document, url, a | {"key": admin_key}, a | {"secret": "nobody", "handle": "nobody"}, work, "operator", tenants_only),
            ]
    requests, failures = sum(run[0] for run in runs), sum(run[2] for run in runs)
    print(
        f"torture-contract: {requests} requests to {runs[0][1]} operations with the keys of two tenants and the operator, {failures} failures"
        f" in {time.monotonic() - begun:.0f} s"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
