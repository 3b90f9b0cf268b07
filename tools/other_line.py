"""Runs a target of the Makefile on the other line of TFX: `python3 tools/other_line.py test`.

Where this machine can run both lines, in a copy of the checkout with that line's environment. Where
its C library is too old for the newer one, inside a Debian 13 that `debootstrap` makes once and
that is kept in the cache folder; root, or sudo without a password, makes and enters it. Whatever is
missing ends it with an error: nothing is skipped.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

from interpreters import SetupError, cache_dir
from lines import CHOICE, LINES, Line, choose, glibc

ROOT = Path(__file__).resolve().parent.parent
RELEASE = "trixie"  # Debian 13, glibc 2.41
# What README names, and what the tests start: see .ci/run.
PACKAGES = ["ca-certificates", "git", "make", "g++", "python3", "python3-venv", "python3-dev"]
TEST_PACKAGES = ["npm", "postgresql", "mariadb-server", "chromium", "openssl"]
PASSED = ("CI", "PYTEST_ARGS", "PIP_DEFAULT_TIMEOUT")
"""The environment variables that reach the Debian inside."""
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"


def main() -> int:
    """Runs the target; returns its exit code, 1 where the other line can't be had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", help="a target of the Makefile, as test")
    target = parser.parse_args().target
    try:
        own = choose().line
        [other] = [line for line in LINES if line is not own]
        if glibc() >= other.glibc:
            return beside(other, target)
        return inside(other, target)
    except SetupError as error:
        print(f"other line: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def beside(line: Line, target: str) -> int:
    """Runs the target in a copy of the checkout, on this machine."""
    checkout = cache_dir() / "lines" / line.tfx
    copy_checkout(checkout)
    print(f"other line: make {target} on TFX {line.tfx} in {checkout}", flush=True)
    return subprocess.call(
        ["make", target], cwd=str(checkout), env=dict(os.environ, **{CHOICE: line.tfx})
    )


def inside(line: Line, target: str) -> int:
    """Runs the target in a copy of the checkout, inside the Debian of the cache folder."""
    system = cache_dir() / f"debian-{RELEASE}"
    if not (system / "made").exists():
        make_debian(system)
    lend_network(system)
    home = system / "root"
    run_as_root(["chown", str(os.getuid()), str(home)])
    copy_checkout(home / "checkout")
    print(f"other line: make {target} on TFX {line.tfx} inside Debian at {system}", flush=True)
    given = [f"{name}={os.environ[name]}" for name in PASSED if name in os.environ]
    given += [
        "HOME=/root",
        f"{CHOICE}={line.tfx}",
        "LANG=C.UTF-8",
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    ]
    given += [
        f"{name}=/{CERTIFICATES}" for name in ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")
    ]
    # In a mount namespace of its own, so that nothing stays mounted whatever ends the command.
    script = (
        'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && '
        'mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm" && root="$1" && shift && '
        'exec chroot "$root" env -i "$@"'
    )
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
    make = ["make", "-C", "/root/checkout", target]
    return subprocess.call(as_root([*command, str(system), *given, *make]))


def make_debian(system: Path) -> None:
    """Makes a Debian with the packages that the Makefile's targets and the tests need.

    Raises:
      SetupError: debootstrap is missing or fails.
    """
    if shutil.which("debootstrap", path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
        raise SetupError("needs debootstrap (Debian and Ubuntu: apt-get install debootstrap).")
    print(f"other line: making Debian 13 at {system}", flush=True)
    passing = system.with_name(system.name + ".passing")
    run_as_root(["rm", "-rf", str(passing)])
    system.parent.mkdir(parents=True, exist_ok=True)
    run_as_root(["debootstrap", "--variant=minbase", RELEASE, str(passing)])
    lend_network(passing)
    install = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q", "-y"]
    install += ["--no-install-recommends"] + PACKAGES + TEST_PACKAGES
    run_as_root(["chroot", str(passing)] + install)
    lend_network(passing)  # ca-certificates has written its own
    run_as_root(["touch", str(passing / "made")])
    run_as_root(["rm", "-rf", str(system)])
    run_as_root(["mv", str(passing), str(system)])


def lend_network(system: Path) -> None:
    """Copies this machine's resolver and certificates, which may be its network's own."""
    for name in ("etc/resolv.conf", "etc/hosts", CERTIFICATES):
        source = Path("/", name)
        if source.exists():
            run_as_root(["mkdir", "-p", str((system / name).parent)])
            run_as_root(["cp", "-L", str(source), str(system / name)])


def copy_checkout(folder: Path) -> None:
    """Copies what git knows of, and what is new; an environment that is there stays.

    Raises:
      SetupError: this is no git checkout.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=str(ROOT),
        stdout=subprocess.PIPE,
    )
    if listed.returncode:
        raise SetupError(f"{ROOT} is no git checkout, and its files are found by git.")
    names = [os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    kept = set(names)
    for path in folder.rglob("*") if folder.exists() else ():
        inner = path.relative_to(folder)
        if inner.parts[0] not in (".venv", "build") and path.is_file() and str(inner) not in kept:
            path.unlink()
    for name in names:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(str(ROOT / name), str(folder / name))


def as_root(command: List[str]) -> List[str]:
    """Returns the command as root runs it."""
    return command if os.getuid() == 0 else ["sudo", "-n"] + command


def run_as_root(command: List[str]) -> None:
    """Runs a command as root, quietly; raises SetupError with its last lines where it fails."""
    done = subprocess.run(as_root(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        last = done.stdout.decode(errors="replace").splitlines()[-5:]
        raise SetupError(" ".join(command[:3]) + " ... failed:\n  " + "\n  ".join(last))


if __name__ == "__main__":
    sys.exit(main())
