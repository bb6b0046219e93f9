"""The API against its own contract: requests that the contract allows and requests that it does not, by property. See README.md."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS = os.environ.get("OPENAPI_SECONDS", "75")
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

    def ask(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.origin + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def furnish(self):
        """One of everything, and its ids: what is only ever absent is not tried."""
        cluster = {
            "cluster_name": "second", "k8s_api_endpoint": "https://second.example.com", "k8s_token": "token", "region": "us-east-1",
            "aws_role_arn": "arn:aws:iam::222233334444:role/CloudOptimRole",
        }
        ids = ["default", self.ask("POST", "/api/v1/admin/clusters", cluster)["cluster_id"]]
        target = {"label": "ops", "channel": "email", "email": "ops@example.com"}
        ids.append(self.ask("POST", "/api/v1/notifications/targets", target)["target_id"])
        ids.append(self.ask("POST", "/api/v1/admin/keys", {"label": "ci", "role": "viewer"})["key_id"])
        node = self.ask("GET", "/api/v1/k8s/demo/nodes")["items"][0]["name"]
        done = self.ask("POST", "/api/v1/k8s/demo/nodes/cordon", {"node_name": node})
        ids += [done["operation_id"], done["plan_id"]]
        # The first round comes with the start; it takes some seconds.
        for _ in range(60):
            runs = self.ask("GET", "/api/v1/optimization/history")["items"]
            if runs:
                break
            time.sleep(1)
        for run in runs:
            ids.append(run["optimization_id"])
            plans = self.ask("GET", run["href"])["recommendations"]
            ids += [plan["plan_id"] for plan in plans]
        (Path(self.folder) / "ids.txt").write_text("".join(f'"{one}"\n' for one in ids))

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    program, schemathesis = sys.argv[1], sys.argv[2]
    server = Server(program)
    try:
        server.furnish()
        for name in ["schemathesis.toml", "hooks.py"]:
            shutil.copy(HERE / name, server.folder)
        environment = dict(os.environ, API_KEY=server.key)
        command = [
            schemathesis, "run", f"{server.origin}/api/v1/openapi.json",
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
