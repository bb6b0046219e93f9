"""Waits until something listens: wait-for.py HOST PORT SECONDS."""

import socket
import sys
import time


def main() -> int:
    host, port, limit_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            with socket.create_connection((host, port), timeout=1):
                return 0
        except OSError:
            time.sleep(0.2)
    print(f"nothing listens on {host}:{port} after {limit_s:.0f} s", file=sys.stderr)
    return 1


sys.exit(main())
