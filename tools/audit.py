"""Looks the versions of every lock up among the published vulnerabilities: `make audit`.

By pip-audit, which uv fetches and runs, against PyPI's advisories. What is held back, and by whom,
is in docs/security.md. Exit code 0: nothing was found; 1: something was; 3: no answer.
"""

import json
import subprocess
import sys
from typing import Any, List, Optional

from bootstrap import ROOT, locked
from interpreters import find_uv, uv_environment

VERSION = "2.9.0"
NO_ANSWER = 3


def audited(lock: str) -> Optional[List[Any]]:
    """Returns a lock's distributions that have a published vulnerability, None without an answer.

    Args:
      lock: the lock's name, without a suffix.
    """
    command = [find_uv(), "tool", "run", "--quiet", "--from", f"pip-audit=={VERSION}", "pip-audit"]
    command += ["--requirement", f"constraints/{lock}.txt", "--require-hashes", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(
        command,
        cwd=str(ROOT),
        env=uv_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        print(f"{lock}: pip-audit has no answer from the advisory service: {last[:300]}")
        return None
    skipped = [entry for entry in found if "skip_reason" in entry]
    if len(skipped) == len(found):  # an index without advisories answers so
        print(f"{lock}: the advisory service knows none of it: {skipped[0]['skip_reason'][:200]}")
        return None
    for entry in skipped:
        print(f"{lock}: {entry['name']} was not audited: {entry['skip_reason'][:200]}")
    return [entry for entry in found if entry.get("vulns")]


def main() -> int:
    """Prints what was found in each lock, and returns the exit code."""
    codes = []
    for lock in sorted({environment.lock for environment in locked()}):
        found = audited(lock)
        if found is None:
            codes.append(NO_ANSWER)
            continue
        print(f"{lock}: {len(found)} distributions with published vulnerabilities")
        for entry in found:
            for vulnerability in entry["vulns"]:
                fixed = ", ".join(vulnerability["fix_versions"]) or "no version"
                print(
                    f"  {entry['name']} {entry['version']}: {vulnerability['id']}, fixed in {fixed}"
                )
        codes.append(1 if found else 0)
    return 1 if 1 in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
