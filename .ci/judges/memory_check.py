#!/usr/bin/env python3
"""Memory of a dry run: at most 24 MiB at 100,000 documents, and at most 32 bytes a document beyond that.

Usage: memory_check.py PAYABLES GENERATE
"""

import os
import subprocess
import sys


def peak_kib(payables: str, generate: str, kind: str, target: str, count: int) -> int:
    """The peak memory of a dry run over generated documents, as the kernel counts it for the process itself."""
    source = subprocess.Popen([generate, str(count), kind], stdout=subprocess.PIPE)
    sink = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawn(
        payables,
        [payables, "sync", "-", "--to", target, "--dry-run"],
        {"PATH": os.environ.get("PATH", "")},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, source.stdout.fileno(), 0),
            (os.POSIX_SPAWN_DUP2, sink, 1),
            (os.POSIX_SPAWN_DUP2, sink, 2),
        ],
    )
    source.stdout.close()
    _, status, usage = os.wait4(pid, 0)
    source.wait()
    if status != 0:
        sys.exit(f"the dry run ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_maxrss


KINDS = [("orders", "tipalti"), ("invoices", "amazon")]


def main() -> int:
    payables, generate = sys.argv[1:3]
    failed = 0
    cases = [(kind, target, count) for kind, target in KINDS for count in (1_000, 100_000, 300_000)]
    for kind, target, count in cases:
        peak = peak_kib(payables, generate, kind, target, count)
        limit = 24 * 1024 + max(0, count - 100_000) * 32 // 1024
        print(f"{count} {kind}: {peak} KiB (limit {limit})")
        failed += peak > limit
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
