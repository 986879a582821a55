"""Drives Chromium through the DevTools protocol: opens a page, does steps on it, and tells what came of each.

    browser.py CHROMIUM PROFILE URL STEP...

A step is `type:TEXT`, `key:NAME` (Tab, Enter, Escape, /, ArrowDown), `size:WIDTHxHEIGHT`, `dark:yes|no`, `shot:FILE`, or JavaScript: the body of an async
function, in which `until(condition)` waits for ten seconds. Prints one line of JSON for each step that is JavaScript, and in the end one with
every error on the console, every violation of the page's security policy, every request to another origin, and every place where
something was stored.
"""
import base64
import contextlib
import json
import subprocess
import sys
import urllib.parse

from websockets.sync.client import connect

UNTIL = """
const until = async (condition) => {
  for (let turn = 0; turn < 500; turn += 1) {
    const found = await condition();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('waited in vain for ' + condition + ' on ' + document.body.innerText.slice(0, 2000));
};
"""
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, "/": 191, "ArrowDown": 40}


class Page:
    def __init__(self, chromium, profile, url):
        self.origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlparse(url))
        self.complaints, self.number, self.stack = [], 0, contextlib.ExitStack()
        self.process = subprocess.Popen(
            [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--remote-debugging-port=0", "--disable-background-networking", "--disable-component-update", "--ignore-certificate-errors",
             f"--user-data-dir={profile}", "about:blank"], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "DevTools listening on " in line:
                self.socket = self.stack.enter_context(connect(line.split("listening on ")[1].strip(), max_size=None))
                break
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Network", "Log", "Audits"]:
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)
        self.evaluate("await until(() => document.readyState === 'complete')")

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if method.split(".")[0] != "Target":
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv(timeout=60))
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.note(answer.get("method"), answer.get("params", {}))

    def note(self, event, about):
        if event == "Runtime.exceptionThrown":
            self.complaints.append("exception: " + json.dumps(about["exceptionDetails"])[:500])
        elif event == "Log.entryAdded" and about["entry"]["level"] == "error" and about["entry"]["source"] != "network":
            self.complaints.append("log: " + about["entry"]["text"])
        elif event == "Audits.issueAdded" and "contentSecurityPolicy" in json.dumps(about["issue"]["details"]):
            self.complaints.append("policy: " + json.dumps(about["issue"]["details"])[:500])
        elif event == "Network.requestWillBeSent" and not about["request"]["url"].startswith(self.origin + "/"):
            self.complaints.append("request: " + about["request"]["url"])

    def evaluate(self, body):
        result = self.call("Runtime.evaluate", expression=f"(async () => {{{UNTIL}{body}}})()", awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"].get("exception", result))[:3000])
        return result["result"].get("value")

    def do(self, step):
        kind, _, rest = step.partition(":")
        if kind == "type":
            self.call("Input.insertText", text=rest)
        elif kind == "key":
            text = {"Enter": "\r", "/": "/"}.get(rest, "")
            for phase in ["keyDown", "keyUp"]:
                self.call("Input.dispatchKeyEvent", type=phase, key=rest, code=rest if rest != "/" else "Slash", windowsVirtualKeyCode=KEYS[rest],
                          text=text if phase == "keyDown" else "")
        elif kind == "size":
            width, height = rest.split("x")
            self.call("Emulation.setDeviceMetricsOverride", width=int(width), height=int(height), deviceScaleFactor=1, mobile=False)
        elif kind == "dark":
            value = "dark" if rest == "yes" else "light"
            self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])
        elif kind == "shot":
            with open(rest, "wb") as file:
                file.write(base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]))
        else:
            print(json.dumps(self.evaluate(step)), flush=True)


def main():
    chromium, profile, url, *steps = sys.argv[1:]
    page = Page(chromium, profile, url)
    try:
        for step in steps:
            page.do(step)
        stored = page.evaluate("return [document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage), location.href].join(' ')")
        print(json.dumps({"complaints": page.complaints, "stored": stored}), flush=True)
    finally:
        page.process.terminate()
        page.process.wait(timeout=20)


main()
