#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The page of `nvmfctl trace --html` in Chromium: clicks, keys and wheel do what they say, both
colour schemes are painted, nothing is asked of any network, names of peers stay text, and 100,000
PDUs are shown without delay. The figures that it prints pass and fail nothing.
"""
import os
import socket
import tempfile
import threading
import unittest

import browser
import pages
from browser import Keys

# Far above what any machine takes: what ends here does not end.
LOAD_MS_MAX, FRAME_MS_MAX = 20_000, 2_000


def setUpModule():
    global FOLDER, DRIVER, PAGE
    FOLDER = tempfile.TemporaryDirectory(prefix="nvmfctl-page-")
    DRIVER = browser.start()
    PAGE = browser.Page(DRIVER)


def tearDownModule():
    DRIVER.quit()
    FOLDER.cleanup()


class PageTest(unittest.TestCase):
    kind, options = None, ()

    @classmethod
    def setUpClass(cls):
        cls.url = pages.make(FOLDER.name, cls.__name__, *cls.options, kind=cls.kind)

    def setUp(self):
        self.page = PAGE
        self.page.complaints()
        self.page.requests()
        self.page.open(self.url)

    def tearDown(self):
        self.assertEqual(self.page.complaints(), [])
        self.assertEqual(self.page.requests(), [self.url])

    def selected(self):
        """The frame of the selected PDU, as the details say it."""
        rows = self.page.all("#details .fields tr")
        return next((int(r.text.split()[1]) for r in rows if r.text.startswith("frame ")), None)

    def row(self, number):
        """Where a row of the ladder is, with the view at its beginning."""
        return 200, 26 + 26 * number + 13


class LinuxCapture(PageTest):
    """161 PDUs of a Linux host and target; three connections, three commands that failed."""

    def test_says_what_it_is(self):
        self.assertIn("linux-6.12-plain.pcap", self.page.text("h1"))
        self.assertIn("linux-6.12-plain.pcap", DRIVER.title)
        facts = self.page.text("#facts")
        for fact in ("3 connections", "161 PDUs", "63 commands", "3 failed", "7.34 s long"):
            self.assertIn(fact, facts)
        self.assertFalse(self.page.one("#left-out").is_displayed())
        self.assertEqual(self.page.text("#findings .empty"), "None were found.")

    def test_canvases_are_painted(self):
        good, failed = self.page.variable("--good"), self.page.variable("--failed")
        for canvas, least in (("#ladder", 500), ("#scatter", 20), ("#histogram", 500)):
            self.assertGreater(self.page.pixels(canvas, good)[0], least, canvas)
        self.assertGreater(self.page.pixels("#scatter", failed)[0], 20)
        # The strip beside the ladder has the failures that are further down.
        self.assertGreater(self.page.pixels("#ladder", failed)[0], 5)

    def test_a_click_selects_and_tells_the_command(self):
        self.page.click_at("#ladder", *self.row(2))
        self.assertEqual(self.selected(), 8)
        self.assertEqual(self.page.text("#details h2"), "connect")
        details = self.page.text("#details")
        for part in ("sqsize", "31 (0's based: 32)", "Submission Queue Size", "connect 0x0000",
                     "ok, completed", "67.0 us", "Its 2 PDUs"):
            self.assertIn(part, details)
        self.assertIn("host \u2192 controller, connect", self.page.one("#said").get_attribute(
            "textContent"))
        related = self.page.variable("--related")
        self.assertGreater(self.page.pixels("#ladder", related)[0], 2000)
        self.page.click("#details .of-command li:nth-child(2) button")
        self.assertEqual((self.selected(), self.page.text("#details h2")), (9, "connect ok"))

    def test_keys_go_through_pdus(self):
        self.page.keys("j")
        self.assertEqual(self.selected(), 4)
        self.page.keys("j", "j", Keys.ARROW_DOWN, "k")
        self.assertEqual(self.selected(), 8)
        self.page.keys("]")
        self.assertEqual(self.selected(), 9)
        self.page.keys("[")
        self.assertEqual(self.selected(), 8)
        self.page.keys(Keys.END)
        last = self.selected()
        self.assertGreater(self.page.run("return ladder.top"), 1000)
        self.page.keys(Keys.HOME)
        self.assertEqual((self.selected(), self.page.run("return ladder.top")), (4, 0))
        self.page.keys(Keys.PAGE_DOWN, Keys.PAGE_UP)
        self.assertEqual(self.selected(), 4)
        self.assertGreater(last, 160)
        self.page.keys(Keys.ESCAPE)
        self.assertIsNone(self.selected())

    def test_zoom_by_keys_buttons_and_wheel(self):
        def height():
            return self.page.run("return scale.rowHeight")

        self.page.keys("+")
        self.assertAlmostEqual(height(), 39)
        self.page.keys("-")
        self.assertAlmostEqual(height(), 26)
        self.page.click("#zoom-in")
        self.assertAlmostEqual(height(), 39)
        self.page.click("#zoom-out")
        self.page.wheel("#ladder", 260)
        self.assertEqual(self.page.run("return ladder.top"), 260)
        self.page.wheel("#ladder", 300, ctrl=True)
        self.assertLess(height(), 12)
        self.page.wheel("#ladder", -300, ctrl=True)
        self.assertAlmostEqual(height(), 26)
        self.page.keys("0")
        self.assertLess(height() * 161, self.page.one("#ladder").size["height"])

    def test_rows_and_true_time(self):
        self.page.keys("j")
        self.page.click("#by-time")
        self.assertEqual(self.page.one("#by-time").get_attribute("aria-pressed"), "true")
        gaps = self.page.run("const y = (row) => scale.middle(row);"
                             "return [(y(2) - y(1)) / (y(1) - y(0)), y(160) - y(0)]")
        self.assertAlmostEqual(gaps[0], 53 / 84, 3)  # microseconds
        self.assertGreater(gaps[1], 1e5)             # seven seconds, as high as they are long
        self.page.keys("t")
        self.assertEqual(self.page.one("#by-rows").get_attribute("aria-pressed"), "true")
        self.assertEqual(self.selected(), 4)

    def test_search(self):
        self.page.keys("/")
        self.page.type("#query", "keep-alive")
        self.assertEqual(self.page.text("#matches"), "0 of 8")
        self.page.keys(Keys.ENTER)
        self.assertEqual(self.page.text("#matches"), "1 of 8")
        self.assertEqual(self.page.text("#details h2"), "keep-alive")
        self.assertGreater(self.page.pixels("#ladder", self.page.variable("--hit"))[0], 1000)
        self.page.click("#ladder")
        first = self.selected()
        self.page.click("#next")
        self.assertNotEqual(self.selected(), first)
        for query, count in (("invalid field", "1"), ("0x2009", "3"), ("cid 0x2009", "3"),
                             ("org.example:kernel", "4"), ("nothing like it", "none")):
            self.page.run("arguments[0].select()", self.page.one("#query"))
            self.page.type("#query", query)
            self.assertEqual(self.page.text("#matches").split()[-1], count, query)
        self.page.keys(Keys.ESCAPE)
        self.assertEqual(self.page.text("#matches"), "")
        self.page.keys("n")  # goes nowhere
        self.assertEqual(self.page.one("#query").get_attribute("value"), "")

    def test_table_filters(self):
        row = "#connections-table tbody tr:nth-child(3)"
        self.assertIn("127.0.0.1:36696", self.page.text(row))
        self.page.click(row)
        self.assertEqual(self.page.text("#count"), "34 of 161 PDUs")
        self.assertEqual(self.page.one(row).get_attribute("aria-selected"), "true")
        self.assertEqual(self.page.text("#filters"), "c3 q1 only \u00d7")
        self.page.keys("j")
        self.assertIn("c3 q1", self.page.text("#details"))
        self.page.type(row, Keys.ENTER)
        self.assertEqual(self.page.text("#count"), "161 PDUs")
        self.page.click("#fates button:nth-child(1)")
        self.assertEqual(self.page.one("#fates button").get_attribute("aria-pressed"), "false")
        self.assertNotEqual(self.page.text("#count"), "161 PDUs")
        self.page.keys("c")
        self.assertEqual(self.page.text("#count"), "161 PDUs")
        self.page.click("#names button:nth-child(1)")
        self.assertNotEqual(self.page.text("#count"), "161 PDUs")

    def test_latencies_lead_to_commands(self):
        x, y, cid = self.page.run("""
            const k = trace.commands.group.indexOf(group.failed);
            return [scatter.x(trace.commands.sent[k]), scatter.y(trace.commands.latency[k]),
                    hex(trace.commands.cid[k], 4)]""")
        self.page.click_at("#scatter", x, y)
        self.assertIn(f"async-event-request {cid}", self.page.text("#details h3"))
        before = self.page.text("#histogram-note")
        from_x, to_x = self.page.run("return [1e9, 1.5e9].map(scatter.x)")
        self.page.drag("#scatter", (from_x, 30), (to_x, 60))
        self.assertIn(" s \u00d7", self.page.text("#filters"))
        shown = int(self.page.text("#count").split()[0])
        self.assertEqual(shown, self.page.run("""
            const within = (ns) => ns >= state.range[0] && ns <= state.range[1];
            return [...trace.command].filter((k, i) =>
              within(k > 0 ? trace.commands.sent[k - 1] : trace.time[i])).length"""))
        self.assertTrue(20 < shown < 120, shown)
        self.assertNotEqual(self.page.text("#histogram-note"), before)
        self.page.keys("c")
        self.assertEqual(self.page.text("#histogram-note"), before)

    def test_colour_schemes(self):
        for scheme, paper in (("light", "#ffffff"), ("dark", "#10151b")):
            self.page.open(self.url, scheme=scheme)
            wanted = [int(paper[i:i + 2], 16) for i in (1, 3, 5)]
            self.assertEqual(self.page.variable("--paper"), paper)
            self.assertEqual(self.page.colour("#ladder", 4, 40), wanted)
        self.assertEqual(self.page.text("#theme"), "Auto")
        self.page.click("#theme")
        self.assertEqual(self.page.text("#theme"), "Light")
        self.assertEqual(self.page.colour("#ladder", 4, 40), [255, 255, 255])
        self.page.keys("d")
        self.assertEqual(self.page.text("#theme"), "Dark")
        self.assertEqual(self.page.colour("#ladder", 4, 40), [0x10, 0x15, 0x1B])
        self.page.requests()  # of the page that was opened twice
        self.page.open(self.url)

    def test_help_and_focus(self):
        self.page.keys("?")
        self.assertTrue(self.page.one("#help").is_displayed())
        self.assertIn("next violation", self.page.text("#help"))
        self.page.keys("j")  # does nothing behind the help
        self.page.keys(Keys.ESCAPE)
        self.assertFalse(self.page.one("#help").is_displayed())
        self.assertIsNone(self.selected())
        self.page.keys(Keys.TAB)
        self.assertTrue(self.page.one(".skip").is_displayed())
        seen = set()
        for _ in range(16):
            self.page.keys(Keys.TAB)
            seen.add(self.page.run("return document.activeElement.id"))
            outline = self.page.run("return getComputedStyle(document.activeElement).outlineStyle")
            self.assertEqual(outline, "solid")
        self.assertLessEqual({"query", "theme", "scatter", "by-rows"}, seen)

    def test_any_width(self):
        for width in (360, 800, 1280, 2560):
            self.page.size(width, 900)
            self.page.drawn()
            over = self.page.run("return document.documentElement.scrollWidth - innerWidth")
            self.assertLessEqual(over, 0, width)
            ladder = self.page.one("#ladder").size
            self.assertGreater(ladder["height"], 300, width)
            self.assertGreater(self.page.pixels("#ladder", self.page.variable("--good"))[0], 300)


class BrokenRules(PageTest):
    kind = "careless"

    def test_a_violation_leads_to_its_pdu(self):
        self.assertEqual(self.page.text("#findings-note"), "5 errors")
        first = self.page.one("#findings-list button")
        self.assertEqual(first.text.splitlines(), [
            "error r2t-range",
            "by the controller: r2to + r2tl is 8192, expected at most 4096 [TCP 3.6.2.10]",
            "c1 q1, 0x0001, 0.000050 s, frame 8"])
        first.click()
        self.assertEqual((self.selected(), self.page.text("#details h2")), (8, "r2t"))
        self.assertIn("r2t-range by the controller", self.page.text("#details p.finding"))
        self.page.keys("v")
        self.assertEqual(self.selected(), 9)
        self.page.keys("V")
        self.assertEqual(self.selected(), 8)
        # A filter makes way for it.
        self.page.click("#names button:nth-child(3)")
        self.assertIsNone(self.selected())
        self.page.click("#findings-list button")
        self.assertEqual(self.selected(), 8)

    def test_rules_are_found(self):
        self.page.type("#query", "success-last", Keys.ENTER)
        self.assertEqual(self.selected(), 12)
        self.assertEqual(self.page.text("#matches"), "1 of 1")


class HostileNames(PageTest):
    kind = "hostile"

    def test_they_stay_text(self):
        name = pages.SCRIPT_NQN.decode()
        with open(self.url.removeprefix("file://"), encoding="ascii") as page:
            text = page.read()
        self.assertNotIn("alert(1)</script>", text)
        self.assertEqual((text.count("<script"), text.count("</script")), (2, 2))
        self.assertEqual(len(self.page.all("script")), 2)
        self.assertEqual(len(self.page.all("img")), 0)
        self.assertEqual(self.page.all("#connections-table .nqn")[2].get_attribute("title"), name)
        self.page.keys("j", "j", "j")
        self.assertIn(name, self.page.text("#details"))
        self.page.type("#query", "</SCRIPT><script>")
        self.assertEqual(self.page.text("#matches"), "2 of 2")  # its connection, and Connect


class NothingPasses(PageTest):
    options = ("--filter", "conn == 99")

    def test_an_empty_page_says_so(self):
        self.assertIn("0 PDUs", self.page.text("#facts"))
        self.page.keys("j", "G", "t", "+", "0", "n", "v", "]")
        self.page.type("#query", "read", Keys.ENTER)
        self.assertEqual(self.page.text("#matches"), "none")
        self.assertEqual(self.page.text("#scatter-note"), "no commands")
        self.assertIsNone(self.selected())


class FilteredPage(PageTest):
    options = ("--filter", "failed")

    def test_it_holds_what_passes_the_filter(self):
        self.assertIn("3 commands", self.page.text("#facts"))
        self.assertEqual(self.page.text("#fates"), "failed")
        self.page.keys("j", "j")
        self.assertEqual(self.page.one("#details h3").get_attribute("class"), "group-1")


class NoNetwork(PageTest):
    """The policy of the page; and that the log of requests, and a server, would have shown one."""

    def setUp(self):
        super().setUp()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.server.close)
        self.address = f"http://127.0.0.1:{self.server.getsockname()[1]}/x.png"

    def refuse(self):
        """Takes one connection, and no more."""
        self.server.settimeout(20)
        connection, _ = self.server.accept()
        self.server.close()
        connection.close()

    def test_the_policy_forbids(self):
        tried = self.page.driver.execute_async_script("""
            const [address, done] = arguments;
            const said = [];
            addEventListener('securitypolicyviolation', (e) => said.push(e.effectiveDirective));
            const image = new Image();
            image.onerror = () => fetch(address).catch(() => {
              const script = document.createElement('script');
              script.textContent = 'window.intruded = true';
              document.body.append(script);
              requestAnimationFrame(() => requestAnimationFrame(() =>
                done([said.sort(), window.intruded === true])));
            });
            image.src = address;""", self.address)
        self.assertEqual(tried, [["connect-src", "img-src", "script-src-elem"], False])
        self.server.setblocking(False)
        self.assertRaises(BlockingIOError, self.server.accept)
        self.page.complaints()  # of the policy

    def test_a_request_would_be_seen(self):
        control = os.path.join(FOLDER.name, "control.html")
        with open(control, "w", encoding="ascii") as out:
            out.write(f'<img src="{self.address}">')
        self.page.requests()
        # The browser waits for the answer, and its driver for the browser.
        server = threading.Thread(target=self.refuse)
        server.start()
        self.page.open("file://" + control)
        server.join()
        self.page.open(self.url)
        self.assertEqual(set(self.page.requests()), {"file://" + control, self.address, self.url})
        self.page.complaints()
        self.page.open(self.url)


class HundredThousand(PageTest):
    kind = "busy"

    def test_it_is_quick(self):
        page = self.page
        count, loaded = page.run("return [trace.count, "
                                 "performance.getEntriesByName('ladder-drawn')[0].startTime]")
        self.assertGreaterEqual(count, 100_000)
        self.assertLess(loaded, LOAD_MS_MAX)
        size = os.path.getsize(self.url.removeprefix("file://"))
        print(f"\n{count} PDUs: page {size / 1e6:.1f} MB, first drawn after {loaded:.0f} ms")
        frames = {
            "scroll": "ladder.scrollBy(997)",
            "scroll, true to time": "ladder.setByTime(true); ladder.scrollBy(997)",
            "all of it": "ladder.setByTime(false); ladder.zoom(0)",
            "zoom": "ladder.zoom(n < 12 ? 1.5 : 1 / 1.5)",
            "all of it, true to time": "ladder.setByTime(true); ladder.zoom(0)",
        }
        for what, action in frames.items():
            times = page.driver.execute_async_script("""
                const [action, done] = arguments;
                const act = new Function('n', action);
                const times = [];
                const one = () => {
                  const begun = performance.now();
                  act(times.length);
                  cancelAnimationFrame(frame);
                  drawNow();
                  times.push(performance.now() - begun);
                  if (times.length < 24) requestAnimationFrame(one);
                  else done(times.sort((a, b) => a - b));
                };
                requestAnimationFrame(one);""", action)
            print(f"  {what}: median {times[12]:.1f} ms, longest {times[-1]:.1f} ms a frame")
            self.assertLess(times[-1], FRAME_MS_MAX, what)
        page.keys("t")
        begun = page.run("return performance.now()")
        page.type("#query", "out of range", Keys.ENTER)
        self.assertRegex(page.text("#matches"), r"^1 of \d{3}$")
        print(f"  search: {page.run('return performance.now()') - begun:.0f} ms, with typing")
        self.assertIn("LBA Out of Range", page.text("#details"))
        page.keys(Keys.ESCAPE, "G")
        self.assertEqual(page.run("return state.selected"), count - 1)
        page.click("#connections-table tbody tr:nth-child(2)")
        self.assertRegex(page.text("#count"), r"^\d\d,\d{3} of 10\d,\d{3} PDUs$")
        self.assertGreater(page.pixels("#scatter", page.variable("--failed"))[0], 50)


if __name__ == "__main__":
    unittest.main(verbosity=1)
