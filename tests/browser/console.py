"""The console in a real browser. See README.md."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "target" / "browser"
PAGES = [
    "", "/cost", "/clusters", "/clusters/demo", "/plans", "/decisions", "/blockers", "/savings", "/waste", "/rightsizing",
    "/office-hours", "/interruptions", "/predictions", "/pricing", "/history", "/config", "/health",
]
VIEWS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1360, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
# Launching, joining and draining in the simulated world take half a minute.
PLAN_S = 120


class Server:
    """The program, with a state of its own."""

    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="console-")
        environment = dict(os.environ, PORT="0", CLOUDOPTIM_DIR=self.folder)
        self.log = open(Path(self.folder) / "log", "w+")
        self.process = subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.door = self.read_door()
        self.origin = self.door.split("/console")[0]
        # Its log goes on: a pipe that nobody empties would hold it up.
        threading.Thread(target=lambda: [None for _ in self.process.stdout], daemon=True).start()

    def read_door(self):
        for line in self.process.stdout:
            found = re.search(r"console\s+(http\S+)", line)
            if found:
                return found.group(1)
        self.log.seek(0)
        raise SystemExit(f"the program ended before it said where its console is:\n{self.log.read()}")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)


def strangers_address(server):
    """What is no address is the API's to answer, with a problem document, although pages stand beside it."""
    try:
        urllib.request.urlopen(f"{server.origin}/api/v1/nowhere", timeout=10)
    except urllib.error.HTTPError as answer:
        if answer.code == 404 and answer.headers["content-type"] == "application/problem+json":
            return
        raise SystemExit(f"/api/v1/nowhere: {answer.code}, {answer.headers['content-type']}")
    raise SystemExit("/api/v1/nowhere: found")


class Watch:
    """What a browser may never say or ask while it is on our pages."""

    def __init__(self, server, axe):
        self.origin = server.origin
        self.axe = axe
        self.faults = []

    def over(self, context):
        page = context.new_page()
        page.on("console", lambda message: self.said(page, message))
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("request", lambda request: self.asked(page, request))
        page.on("requestfailed", lambda request: self.failed(request))
        return page

    def said(self, page, message):
        if message.type in ("error", "warning"):
            self.faults.append(f"{page.url}: the browser says {message.text}")

    def asked(self, page, request):
        if not request.url.startswith(self.origin):
            self.faults.append(f"{page.url}: asks {request.url}")

    def failed(self, request):
        # Whoever leaves a page ends what it was asking for.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"{request.url}: {request.failure}")

    def accessible(self, page, name):
        # Evaluated by the test and not by the page: its policy forbids what is not its own file.
        page.evaluate(self.axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for violation in found["violations"]:
            if violation["impact"] in ("serious", "critical"):
                targets = [node["target"][0] for node in violation["nodes"][:3]]
                self.faults.append(f"{name}: axe {violation['id']}: {violation['help']} at {targets}")


def enter(page, server):
    page.goto(server.door)
    page.wait_for_url("**/console")


def look_at_everything(browser, server, watch):
    for view, settings in VIEWS.items():
        context = browser.new_context(**settings)
        page = watch.over(context)
        enter(page, server)
        for path in PAGES:
            name = f"{view}{path.replace('/', '-') or '-overview'}"
            answer = page.goto(f"{server.origin}/console{path}")
            if answer.status != 200:
                watch.faults.append(f"{name}: {answer.status}")
            page.wait_for_load_state("networkidle")
            page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                watch.faults.append(f"{name}: wider than the screen")
            watch.accessible(page, name)
        if view == "phone":
            page.locator("details.menu summary").click()
            page.locator("nav a", has_text="Plans").click()
            page.wait_for_url("**/console/plans")
        context.close()


def first_five_minutes(browser, server, watch):
    context = browser.new_context(**VIEWS["light"])
    page = watch.over(context)
    # Sign in by the link that is printed: the key is not in the address afterwards.
    enter(page, server)
    assert "key" not in page.url, page.url
    # See the demo cluster being saved: what could be, and what is.
    some_money = re.compile(r"\$0\.\d*[1-9]")
    expect(page.locator(".card", has_text="Available")).to_contain_text(some_money, timeout=60_000)
    # Find out why one node was left alone.
    page.locator("nav a", has_text="Decisions").click()
    page.locator("table a[href*='node=']").first.click()
    assert page.locator("h2", has_text="Node ip-").is_visible()
    story = page.locator("#h-story").locator("xpath=ancestor::section").inner_text()
    assert "WHAT WOULD HAVE TO CHANGE" in story.upper() and len(story) > 150, story
    page.screenshot(path=SHOTS / "story-why-not.png", full_page=True)
    # Approve a plan, and watch it finish. The page looks again by itself: nothing is reloaded here.
    page.locator("nav a", has_text="Plans").click()
    page.locator("#h-waiting").locator("xpath=ancestor::section").locator("tbody a").first.click()
    page.screenshot(path=SHOTS / "story-plan.png", full_page=True)
    page.locator("button", has_text="Approve").click()
    page.get_by_text("Approved. The next round").wait_for()
    page.get_by_text("Finished: every step is done.").wait_for(timeout=PLAN_S * 1000)
    page.screenshot(path=SHOTS / "story-finished.png", full_page=True)
    expect(page.locator(".card", has_text="Realised")).to_contain_text(some_money)
    watch.accessible(page, "a finished plan")
    context.close()


def every_action(browser, server, watch):
    context = browser.new_context(**VIEWS["light"])
    page = watch.over(context)
    enter(page, server)
    say = lambda text: page.locator("[role=status]", has_text=text).wait_for()
    at = lambda path: page.goto(f"{server.origin}/console{path}")
    at("/clusters/demo")
    page.get_by_role("button", name="Run a round now").click()
    say("A round is asked for")
    at("/waste")
    page.get_by_role("button", name="Scan every cluster now").click()
    say("A scan is asked for")
    at("/config")
    page.get_by_role("button", name="Set the mode").click()
    say("The policy is changed")
    at("/office-hours")
    page.get_by_role("button", name="Keep awake").click()
    say("Everything is up")
    page.get_by_role("button", name="Let the rules hold again").click()
    say("The schedule holds again")
    page.get_by_role("button", name="Approve these rules").click()
    say("The rules are approved")
    at("/config")
    page.locator("input[name=reason]").fill("a test")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_text("Everything stands still.").wait_for()
    page.screenshot(path=SHOTS / "story-stopped.png", full_page=True)
    watch.accessible(page, "stopped")
    page.get_by_role("button", name="Lift the stop").click()
    say("The stop is lifted")
    at("/plans")
    waiting = page.locator("#h-waiting").locator("xpath=ancestor::section").locator("tbody a")
    if waiting.count():
        waiting.first.click()
        page.get_by_role("button", name="Dismiss").click()
        say("Dismissed")
    at("/clusters")
    with page.expect_download() as download:
        page.locator("a.csv").first.click()
    assert "demo" in Path(download.value.path()).read_text()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/console/sign-in")
    watch.accessible(page, "the door")
    context.close()


def main():
    program, axe = sys.argv[1], Path(sys.argv[2]).read_text()
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir(parents=True)
    began = time.monotonic()
    server = Server(program)
    try:
        strangers_address(server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", shutil.which("chromium")), args=["--no-sandbox"])
            watch = Watch(server, axe)
            for part in (first_five_minutes, look_at_everything, every_action):
                part(browser, server, watch)
                print(f"{part.__name__.replace('_', ' ')}: done after {time.monotonic() - began:.0f} s", flush=True)
            browser.close()
    finally:
        server.stop()
    faults = sorted(set(watch.faults))
    if faults:
        raise SystemExit("\n".join([f"{len(faults)} faults:"] + faults))
    print(f"{len(PAGES)} pages in {len(VIEWS)} views; nothing found; screenshots in {SHOTS.relative_to(ROOT)}")


main()
