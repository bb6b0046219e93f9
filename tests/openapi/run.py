"""The API against its own contract: requests that the contract allows and requests that it does not, by property. See README.md."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS = os.environ.get("OPENAPI_SECONDS", "60")
SEED = os.environ.get("OPENAPI_SEED", "20261129")
# A key has 600 calls in a minute; here it is not the rate that is tried.
CALLS = "100000000"


class Server:
    """The program, with a state of its own."""

    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="openapi-")
        environment = dict(os.environ, PORT="0", CLOUDOPTIM_DIR=self.folder, CALLS_PER_MINUTE=CALLS)
        self.log = open(Path(self.folder) / "log", "w+")
        self.process = subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.origin, self.key = self.read("API"), self.read("key")
        # Its log goes on: a pipe that nobody empties would hold it up.
        threading.Thread(target=lambda: [None for _ in self.process.stdout], daemon=True).start()

    def read(self, name):
        for line in self.process.stdout:
            found = re.search(rf"^\s*{name}\s+(\S+)", line)
            if found:
                return found.group(1)
        self.log.seek(0)
        raise SystemExit(f"the program ended before it said its {name}:\n{self.log.read()}")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    program, schemathesis = sys.argv[1], sys.argv[2]
    server = Server(program)
    try:
        environment = dict(os.environ, API_KEY=server.key)
        command = [
            schemathesis, "--config-file", str(HERE / "schemathesis.toml"), "run", f"{server.origin}/api/v1/openapi.json",
            "--max-time", SECONDS, "--seed", SEED, *sys.argv[3:],
        ]
        failed = subprocess.run(command, env=environment, cwd=server.folder).returncode
        if failed:
            server.log.seek(0)
            faults = [line for line in server.log if '"level":"ERROR"' in line]
            print("".join(faults[-20:]), file=sys.stderr)
        return failed
    finally:
        server.stop()


sys.exit(main())
