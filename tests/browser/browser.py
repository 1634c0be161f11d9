# SPDX-License-Identifier: BSD-2-Clause
"""A headless Chromium, driven by real clicks, keys and wheels."""
import json
import shutil
import sys

try:
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError as missing:
    print(f"skipped: python3-selenium is not installed ({missing})")
    sys.exit(77)

# The sandbox of Chromium refuses to run as root, and containers have little shared memory. What
# Chromium itself would ask the network for has no place in the log.
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--force-device-scale-factor=1", "--window-size=1400,900", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-extensions", "--no-default-browser-check"]
# A copy of a canvas, so that reading changes nothing about how the canvas is drawn.
COPY = """
  const canvas = arguments[0];
  const sheet = new OffscreenCanvas(canvas.width, canvas.height);
  const copy = sheet.getContext('2d', {willReadFrequently: true});
  copy.drawImage(canvas, 0, 0);
"""
COLOUR_OF = COPY + """
  const [, x, y] = arguments;
  const ratio = canvas.width / canvas.clientWidth;
  return [...copy.getImageData(x * ratio, y * ratio, 1, 1).data].slice(0, 3);
"""
# How many pixels of a canvas have each of the colours, given as "#rrggbb".
PIXELS_OF = COPY + """
  const colours = arguments[1];
  const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
  const wanted = colours.map((text) => parseInt(text.slice(1), 16));
  const counts = colours.map(() => 0);
  for (let i = 0; i < data.length; i += 4) {
    const at = wanted.indexOf(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
    if (at >= 0) ++counts[at];
  }
  return counts;
"""


def start():
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in programs:
        print("skipped: chromium and chromium-driver are not installed")
        sys.exit(77)
    options = Options()
    options.binary_location = programs[0]
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    try:
        return webdriver.Chrome(service=Service(programs[1]), options=options)
    except WebDriverException as refused:
        print(f"skipped: chromium does not start here: {str(refused).splitlines()[0]}")
        sys.exit(77)


class Page:
    """What a person does with the page, and what they see of it."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, url, width=1400, height=900, scheme="light"):
        self.size(width, height)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.driver.get(url)
        self.drawn()

    def size(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def drawn(self):
        """Returns when what is due has been drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(() => done()))")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.one(selector).text

    def click(self, selector):
        self.one(selector).click()
        self.drawn()

    def click_at(self, selector, x, y):
        canvas = self.one(selector)
        self._move(canvas, x, y).click().perform()
        self.drawn()

    def drag(self, selector, start, end):
        canvas = self.one(selector)
        chain = self._move(canvas, *start).click_and_hold()
        half = canvas.size["width"] / 2, canvas.size["height"] / 2
        chain.move_to_element_with_offset(canvas, int(end[0] - half[0]), int(end[1] - half[1]))
        chain.release().perform()
        self.drawn()

    def _move(self, canvas, x, y):
        half = canvas.size["width"] / 2, canvas.size["height"] / 2
        return ActionChains(self.driver, duration=20).move_to_element_with_offset(
            canvas, int(x - half[0]), int(y - half[1]))

    def keys(self, *keys):
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()
        self.drawn()

    def type(self, selector, *keys):
        self.one(selector).send_keys(*keys)
        self.drawn()

    def wheel(self, selector, by, *, ctrl=False):
        chain = ActionChains(self.driver, duration=0)
        if ctrl:
            chain.key_down(Keys.CONTROL)
        chain.scroll_from_origin(ScrollOrigin.from_element(self.one(selector)), 0, by)
        if ctrl:
            chain.key_up(Keys.CONTROL)
        chain.perform()
        self.drawn()

    def colour(self, selector, x, y):
        return self.run(COLOUR_OF, self.one(selector), x, y)

    def pixels(self, selector, *colours):
        return self.run(PIXELS_OF, self.one(selector), list(colours))

    def variable(self, name):
        return self.run("return getComputedStyle(document.documentElement)"
                        ".getPropertyValue(arguments[0]).trim()", name)

    def complaints(self):
        """What the page wrote to its console since it was asked last."""
        return [f"{entry['level']}: {entry['message']}" for entry in
                self.driver.get_log("browser")]

    def requests(self):
        """Addresses that were asked for since this was asked last, but for what the policy of the
        page has stopped."""
        asked = {}
        for entry in self.driver.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            about = event["params"]
            if event["method"] == "Network.requestWillBeSent":
                asked[about["requestId"]] = about["request"]["url"]
            if event["method"] == "Network.loadingFailed" and about.get("blockedReason") == "csp":
                asked.pop(about["requestId"])
        return list(asked.values())
