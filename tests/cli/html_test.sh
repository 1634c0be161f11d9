#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# trace --html: the file is whole or not there, also from a pipe and with a filter; what the page
# does in a browser is tests/browser.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
need python3
captures=$NVMF_SOURCE_DIR/tests/captures
make_capture() { python3 "$NVMF_SOURCE_DIR/tests/support/captures.py" "$1" "$2"; }
# data FILE EXPRESSION: of the page's data, as JSON.
data() {
  python3 - "$@" <<'PYTHON'
import json, re, sys
page = open(sys.argv[1], encoding="ascii").read()
found = re.fullmatch(r'.*<script type="application/json" id="data">([^<]*)</script>\n'
                     r'<script>.*</script>\n</body>\n</html>\n', page, re.S)
print(eval(sys.argv[2], {"d": json.loads(found[1])}))
PYTHON
}

# The lines are what they are without it.
linux=$captures/linux-6.12-plain.pcap
run "$nvmfctl" trace "$linux" --html page.html
[ ! -s err ] || fail 'a page of a whole capture gives warnings'
cmp out <("$nvmfctl" trace "$linux")
[ "$(data page.html '[d["head"][k] for k in ("pdus", "commands", "leftOut")]')" = "[161, 63, '']" ]
[ "$(data page.html 'd["head"]["source"]')" = "$linux" ]
run bash -c '"$0" trace - --stats --html piped.html <"$1"' "$nvmfctl" "$linux"
cmp <(sed "s|standard input|$linux|" piped.html) page.html || fail 'a pipe gives another page'
run "$nvmfctl" trace "$linux" --html failed.html --filter failed
[ "$(data failed.html 'd["head"]["commands"]')" = 3 ]
run "$nvmfctl" trace --json "$linux" --html page.html
expect out '"html": {"pdus": 161, "left_out": 0, "file": "page.html"}'

# No file of what is not NVMe, or cannot be written; what was there before stays.
make_capture nothing nothing.pcap
run -s 22 "$nvmfctl" trace nothing.pcap --html none.html
[ ! -e none.html ] || fail 'a page of nothing'
run -s 2 "$nvmfctl" trace "$linux" --html none/page.html
expect err 'trace: none/page.html: cannot be created: No such file or directory'
[ ! -s out ] || fail 'lines, though the page cannot be written'
mkdir folder
run -s 2 "$nvmfctl" trace "$linux" --html folder
expect err 'trace: folder: '
run -s 2 "$nvmfctl" trace "$linux" --html -
expect err '--html -: standard output has the lines of the trace; name a file'
run -s 2 "$nvmfctl" trace "$linux" --html /dev/full
expect err 'trace: /dev/full: cannot be written: No space left on device'
echo before >full.html
run -s 2 bash -c 'trap "" XFSZ; ulimit -f 50; exec "$0" trace "$1" --html full.html' \
  "$nvmfctl" "$linux"
expect err 'trace: full.html: cannot be written: File too large'
[ "$(cat full.html)" = before ] || fail 'the file is not what was there before'
[ "$(find . -name '*.html.*' | wc -l)" = 0 ] || fail 'a temporary file is left'
