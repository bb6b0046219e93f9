"""The console in a real browser. See README.md."""

import json
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

from playwright.sync_api import TimeoutError, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "target" / "browser"
PAGES = [
    "", "/cost", "/clusters", "/clusters/demo", "/plans", "/decisions", "/blockers", "/savings", "/waste", "/rightsizing",
    "/office-hours", "/interruptions", "/predictions", "/pricing", "/models", "/gaps?family=m6i", "/history", "/config", "/keys", "/health",
]
# What each page must show once something has happened: an empty page proves little.
FULL = {
    "/interruptions": "main section table tbody tr", "/predictions": "#h-voices", "/waste": "text=End it", "/gaps?family=m6i": "main svg rect",
    "/rightsizing": "section[aria-labelledby=h-usage] tbody tr", "/models": "#h-contract", "/pricing": "[data-chart] canvas", "/decisions": "main table tbody tr", "/keys": "main table tbody tr",
}
MODELS = ROOT / "functions" / "decision" / "testdata"
VIEWS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1360, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
# Launching, joining and draining in the simulated world take half a minute.
PLAN_S = 120
# How many plans may be overtaken before one is begun.
TRIES = 4


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

    def api(self, path, body):
        """What a script does beside the browser: the key stands in the printed link."""
        key = self.door.split("#key=")[1]
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.origin}{path}", json.dumps(body).encode(), headers)
        return json.load(urllib.request.urlopen(request, timeout=20))

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
        # A page that is refused is said so by the browser, too: once, and where it is meant.
        self.expected = None

    def over(self, context):
        page = context.new_page()
        page.on("console", lambda message: self.said(page, message))
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("request", lambda request: self.asked(page, request))
        page.on("requestfailed", lambda request: self.failed(request))
        return page

    def said(self, page, message):
        if self.expected and self.expected in message.text:
            return
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
            name = f"{view}{path.split('?')[0].replace('/', '-') or '-overview'}"
            answer = page.goto(f"{server.origin}/console{path}")
            if answer.status != 200:
                watch.faults.append(f"{name}: {answer.status}")
            page.wait_for_load_state("networkidle")
            if path in FULL and not page.locator(FULL[path]).count():
                watch.faults.append(f"{name}: nothing at {FULL[path]}")
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


def something_happens(browser, server, watch):
    """A spot node is taken back, and somebody is to be told: so that pages have something to show."""
    context = browser.new_context(**VIEWS["light"])
    page = watch.over(context)
    enter(page, server)
    page.goto(f"{server.origin}/console/cost")
    instance = page.locator("tr", has_text="spot").locator("small").first.inner_text()
    server.api("/api/v1/events/process", {"instance_id": instance})
    server.api("/api/v1/notifications/targets", {"label": "a mailbox", "channel": "email", "email": "nobody@example.com"})
    page.goto(f"{server.origin}/console/interruptions")
    page.locator("main svg").first.wait_for(timeout=60_000)
    context.close()


def models_and_gaps(browser, server, watch):
    """A model from its file to its roll-back; a hole from its finding to its undoing."""
    context = browser.new_context(**VIEWS["light"])
    page = watch.over(context)
    enter(page, server)
    say = lambda text: page.locator("[role=status]", has_text=text).wait_for()
    press = lambda name: page.get_by_role("button", name=name, exact=True).first.click()
    page.goto(f"{server.origin}/console/models")
    page.locator("input[name=name]").fill("one split on the band")
    page.locator("input[type=file]").set_input_files(MODELS / "tree.onnx")
    # The file goes by itself to the address that the page asked for, with a bar; the form says only what the upload is called.
    bar = page.get_by_role("progressbar", name="Upload of File")
    expect(bar).to_be_hidden()
    asked = []
    page.on("request", lambda request: asked.append((request.method, request.url.removeprefix(server.origin), request.post_data or "")))
    page.evaluate("""() => {
      const bar = document.querySelector("[role=progressbar]");
      new MutationObserver(() => sessionStorage.setItem("bar", bar.getAttribute("aria-valuenow"))).observe(bar, { attributes: true });
    }""")
    press("Upload")
    say("The model is checked and kept")
    assert page.evaluate('sessionStorage.getItem("bar")') == "100", "the bar did not reach its end"
    puts = [url for method, url, _ in asked if method == "PUT"]
    assert len(puts) == 1 and re.fullmatch(r"/uploads/[0-9a-f]{32}", puts[0]), asked
    forms = [body for method, url, body in asked if method == "POST" and url == "/console/models/upload"]
    assert len(forms) == 1 and "upload_id=" in forms[0] and "onnx=" not in forms[0], forms
    press("Run in the shadow")
    say("runs in the shadow")
    press("Activate")
    say("answers from now on")
    page.locator("a", has_text="one split on the band").first.click()
    page.locator("#h-trial").wait_for()
    page.screenshot(path=SHOTS / "story-model.png", full_page=True)
    watch.accessible(page, "a model")
    press("Use the built-in engine")
    say("Who answers is chosen")
    press("Use the active model")
    say("Who answers is chosen")
    press("Roll back")
    say("Rolled back")
    page.locator("input[name=name]").fill("no number")
    page.locator("input[type=file]").set_input_files(MODELS / "nan.onnx")
    watch.expected = "409"
    press("Upload")
    page.get_by_text("it answered something that is no number").wait_for()
    watch.expected = None
    page.goto(f"{server.origin}/console/models")
    press("Remove")
    say("The model is removed")
    # What is too large is said by the page itself, and nothing is sent.
    with tempfile.NamedTemporaryFile(suffix=".onnx") as large:
        large.truncate(32_000_001)
        page.locator("input[name=name]").fill("too large")
        page.locator("input[type=file]").set_input_files(large.name)
        watch.expected = "409"
        press("Upload")
        say("32000000 at most are taken")
        watch.expected = None
    watch.accessible(page, "an upload that is refused")
    page.goto(f"{server.origin}/console/gaps?family=m6i")
    page.locator("#h-holes").locator("xpath=ancestor::section").locator("tbody tr").first.wait_for()
    press("Fill the holes")
    say("A filling is asked for")
    row = page.locator("#h-fills").locator("xpath=ancestor::section").locator("tbody tr").first
    expect(row).to_contain_text("done", timeout=60_000)
    expect(row).to_contain_text("100")
    page.screenshot(path=SHOTS / "story-filled.png", full_page=True)
    # What was filled is marked where prices are looked at, until it is taken out again.
    marked = lambda: page.locator("#h-changes").locator("xpath=ancestor::section").locator("tbody tr")
    page.goto(f"{server.origin}/console/pricing?type=m6i.xlarge&points=filled")
    expect(marked().first).to_contain_text("filled")
    page.goto(f"{server.origin}/console/pricing?type=m6i.xlarge")
    page.locator("[data-chart] canvas").wait_for()
    expect(page.locator(".u-legend")).to_contain_text("zone a, filled")
    page.screenshot(path=SHOTS / "story-marked.png", full_page=True)
    watch.accessible(page, "marked prices")
    page.goto(f"{server.origin}/console/gaps?family=m6i")
    press("Undo")
    say("is being taken out")
    expect(row).to_contain_text("undone", timeout=60_000)
    press("Read the market now")
    say("The market is read anew")
    # How often the market is read: set within the pace of its sources, refused beyond.
    page.goto(f"{server.origin}/console/gaps?family=m6i")
    page.locator("input[name=spot_prices_minutes]").fill("5")
    press("Set how often")
    say("Set. The market is read so often")
    expect(page.locator("#h-refresh").locator("xpath=ancestor::section").locator("tbody tr").first).to_contain_text("every 5 min")
    page.locator("input[name=spot_prices_minutes]").fill("1")
    watch.expected = "409"
    press("Set how often")
    page.get_by_text("spot-prices can be read every 3 to 15 minutes").wait_for()
    watch.expected = None
    page.goto(f"{server.origin}/console/pricing?type=m6i.xlarge&points=filled")
    expect(page.locator("#h-changes").locator("xpath=ancestor::section")).to_contain_text("No point of this type was filled")
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
    page.get_by_role("button", name="End it").first.click()
    say("A plan that ends it is written")
    at("/waste")
    page.get_by_role("button", name="Scan every cluster now").click()
    say("A scan is asked for")
    at("/waste")
    dismiss = page.get_by_role("button", name="Dismiss")
    if dismiss.count():
        page.locator("form[action='/console/waste/dismiss'] input[name=why]").first.fill("it is wanted")
        dismiss.first.click()
        say("Dismissed")
    else:
        watch.faults.append("waste: nothing is left to dismiss")
    at("/keys")
    page.locator("input[name=label]").fill("a pipeline")
    page.get_by_role("button", name="Make a key").click()
    page.locator("code.secret", has_text="co_").wait_for()
    watch.accessible(page, "a key")
    at("/keys")
    page.locator("tr", has_text="a pipeline").get_by_role("button", name="Revoke").click()
    say("The key is revoked")
    at("/config")
    page.get_by_role("button", name="Send a test").first.click()
    say("A test notice is on its way")
    watch.expected = "404"
    answer = at("/nowhere")
    assert answer.status == 404 and "There is no such page" in page.inner_text("main"), page.inner_text("main")
    watch.accessible(page, "nowhere")
    watch.expected = None
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
    cancel_one(page, at, say, watch)
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


def cancel_one(page, at, say, watch):
    """A plan is approved among others, begun, and taken back. One that does not hold any more when its round comes is not begun: then the next."""
    under = lambda name: page.locator(f"#h-{name}").locator("xpath=ancestor::section").locator("tbody tr")
    begun = under("running").filter(has_text="under way").locator("a").first
    for _ in range(TRIES):
        at("/plans")
        # One that launches takes its time; one that only ends a node is over before anybody can take it back.
        launches = under("waiting").filter(has_text="takes the place").locator("input[type=checkbox]")
        choice = (launches if launches.count() else under("waiting").locator("input[type=checkbox]")).first
        try:
            # One that was begun too late for the try before is taken in this one.
            if not begun.count():
                choice.check(timeout=30_000)
                page.get_by_role("button", name="Approve the chosen").click()
                say("The chosen plans are approved")
            begun.click(timeout=60_000)
            page.get_by_role("button", name="Cancel and take back").click(timeout=10_000)
            return say("Cancelled")
        except TimeoutError:
            continue
    at("/plans")
    watch.faults.append(f"plans: none was begun and cancelled in {TRIES} tries; the page says:\n{page.inner_text('main')}")


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
            for part in (first_five_minutes, something_happens, look_at_everything, models_and_gaps, every_action):
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
