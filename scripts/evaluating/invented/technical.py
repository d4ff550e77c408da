"""Technical texts without personal data that are hard to leave alone: what the ways of `ways` look like by accident.

Numbers, escapes, encodings and words that a detector which undoes them may take for a value. Written, like the ways,
before their author had read the detector.
"""

import random
from collections.abc import Iterator

from evaluating.invented.harmless import Maker
from evaluating.invented.labelled import Invented

FRAMES: dict[str, tuple[str, ...]] = {
    "versions": (
        "Upgraded libfoo from <four> to <semver>-rc.<n> (build <id8>)", "node v<semver> / npm <semver> / v8 <four>", "## [<semver>] - <date>\n### Fixed\n- overflow in chunk <n> (#<k>)",
        "Firmware <four> requires bootloader <semver> or later", "requires-python >=3.<n>, chromium <n>.0.<k>.<n>", "openssl <semver>w, zlib <semver>.<n>, glibc 2.<n>",
        "OID <n>.<n>.<n>.<n>.<k>.<n>", "Section <n>.<n>.<n>.<n> of the standard says so",
    ),
    "ids": (
        "correlation <uuid> parent <uuid>", "sha1:<sha> size:<k>", "md5 <short><short><short>", "digest sha256:<sha256>", "ULID 01H<sku><sku>", "run_id=<id18> attempt=<n>",
        "Parcel <track> left the depot at <time>", "purchase order PO-<id8> line <n>", "order <id12> was split into <id12> and <id12>", "RMA <part> for serial <sku>-<sku>",
        "Jira PAY-<k> blocks PAY-<k>; see also OPS-<n>", "snowflake <id18> decodes to shard <n>", "transaction hash 0x<sha256>", "GTIN <ean> lot <id6>", "ISBN-13: <isbn>; ISSN 1234-567<n>", "DOI 10.<k>/j.cell.<n>.<n>.<n>",
        "Bates <id8>-<id8>", "VAT line <n>, ledger <id9>, cost centre <k>", "HS code <k>.<n>.<n>", "PNR-free itinerary: train <k>, coach <n>, seat <n>",
    ),
    "times": (
        "cron: <n> <n> * * 1-5 next <epoch>", "started <iso> ended <iso>", "<date> <time>.<id6>789 +0000 UTC m=+0.<id9>", "Last-Modified: Tue, 04 Nov 2025 <time> GMT; Age: <k>", "created=<millis>;expires=<millis>",
        "2025-W<n>-3, day 2025-<n>", "<dotted> bis <dotted>, KW <n>", "t=<float>s dt=<float>s", "elapsed 00:<n>:<n>.<n>", "ntp offset <float> jitter <float> epoch <epoch>",
    ),
    "git": (
        "commit <sha>\nDate:   Tue Nov 4 <time> 2025 +0100\n\n    build: bump lockfile", "<short> (HEAD -> main, tag: v<semver>) docs: reword\n<short> ci: cache wheels", "index <short>..<short> 100644\n--- a/pkg/<file>\n+++ b/pkg/<file>\n@@ -<n>,<n> +<n>,<n> @@",
        " 12 files changed, <n> insertions(+), <n> deletions(-)", "diff --git a/x b/x\nsimilarity index 9<n>%", "bisect: <short> is the first bad commit", "Merge pull request #<k> from fork/fix-<n>", "stash@{<n>}: WIP on main: <short> tidy", "git rebase --onto v<semver> <short>^ feature@{upstream}",
    ),
    "traces": (
        "Traceback (most recent call last):\n  File \"/app/<file>\", line <n>, in <name>\nKeyError: '<id8>'", "panic: runtime error: index out of range [<n>] with length <n>\ngoroutine <n> [running]:\nmain.<name>(0xc000<id6>, <addr>)",
        "java.lang.IllegalStateException: <id10>\n\tat com.acme.Core.<name>(Core.java:<n>)\n\tat com.acme.Main.main(Main.java:<n>)", "Segmentation fault at address <addr>, rip <addr>, rsp <addr>", "#0  <addr> in ?? () from /lib/libc.so.6\n#1  <addr> in <name> () at <file>:<n>",
        "Error: ENOSPC: no space left, write '/tmp/<short>'\n    at Object.<name> (node:fs:<k>:<n>)", "thread 'main' panicked at src/lib.rs:<n>:<n>:\nassertion failed: left == <id9>", "System.AggregateException HResult=0x<short> at line <n>", "SIGABRT in frame #<n>: libsystem_kernel.dylib`__pthread_kill + <n>",
    ),
    "styles": (
        ".a{margin:<n>px <n>px;color:#<id6>;transform:matrix(1,0,0,1,<n>,<n>)}", "@media (min-width: <n>px) { .grid-<n> { width: <float>%; } }", "<path d=\"M<n> <n>c<n>-<n> <n>-<n> <n>-<n>z\" fill=\"#<id6>\"/>", "rgba(<n>, <n>, <n>, .<n>) cubic-bezier(.<n>,.<n>,.<n>,1)", "--shadow: <n>px <n>px <n>px rgb(<n> <n> <n> / <n>%);", "@import url(fonts.css); @font-face{unicode-range:U+0025-00FF,U+0131,U+0152-0153}",
    ),
    "minified": (
        "!function(e,t){var n=<k>,r=<id6>;for(;n--;)t[n]=e^r>>>3}(this,[<n>,<n>,<n>,<n>,<n>,<n>]);", "var a=[<n>,<n>,<k>,<k>,<id6>],b={c:<id9>,d:\"<short>\"};a.map(function(e){return e*b.c})", "(self.webpackChunk=self.webpackChunk||[]).push([[<n>],{<k>:(e,t,n)=>{n.d(t,{Z:()=>r})}}]);", "e.exports=JSON.parse('{\"v\":<n>,\"h\":\"<short><short>\",\"s\":[<n>,<n>]}')", "t.prototype.x=function(){return String.fromCharCode(60,100,105,118,62)}", "const k=Uint8Array.from([<n>,<n>,<n>,<n>,<n>,<n>,<n>,<n>]);",
        "new Uint32Array([1779033703,3144134277,1013904242,2773480762,1359893119,2600822924,528734635,1541459225])",
    ),
    "coordinates": (
        "lat <lat> lon <lon> alt <n>m", "bbox=<lon>,<lat>,<lon>,<lat>", "52°31'12\"N 13°24'18\"E", "POLYGON((<lon> <lat>, <lon> <lat>, <lon> <lat>))", "geohash u33dc0 tile <n>/<n>/<n>", "G1 X<n>.<n> Y<n>.<n> E<float> F<k>", "vertex <float> <float> <float>\nnormal <float> <float> <float>",
    ),
    "encodings": (
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg<b64><b64>", "integrity=\"sha384-<b64><b64>\"", "00000000  7f 45 4c 46 02 01 01 00  00 00 00 00 00 00 00 00  |.ELF............|", "\\x7f\\x45\\x4c\\x46\\x02\\x01\\x01\\x00", "%7B%22page%22%3A<n>%2C%22sort%22%3A%22asc%22%7D", "GET /search?q=caf%C3%A9%20menu&page=<n> HTTP/1.1",
        "eyJwYWdlIjoyLCJzb3J0IjoiYXNjIiwiZmlsdGVyIjpbXX0=", "&lt;div class=&quot;row-<n>&quot;&gt;&amp;nbsp;&lt;/div&gt;", "&#8226; one item &#8211; two items &#169; 2025", "\\u001b[31mFAIL\\u001b[0m test_<name> (<float>s)", "subject: =?utf-8?q?Release_notes_=E2=80=93_week_<n>?=", "01001000 01100101 01101100 01101100 01101111", "chmod 0644 && umask 0022; mode 100755", "U+1F600 U+0041 U+<id6>",
        "ff d8 ff e0 00 10 4a 46 49 46 00 01", "0b1011_0110 | 0o755 | 0xdead_beef", "JBSWY3DPEBLW64TMMQ======", "uryyb jbeyq (rot13 of hello world)", "flags=0x<short> mask=255.255.255.0/24",
    ),
    "numbers": (
        "[<n>, <n>, <n>, <n>, <n>, <n>, <n>, <n>, <n>]", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", "[0, 1, 1, 2, 3, 5, 8, 1, 3, 2, 1]", "3.1415926535897932384626433832795", "6.02214076e23 and 1.602176634e-19", "| <n> | <n> | <k> |\n| <n> | <n> | <k> |", "<k> / <k> / <k> tokens", "<n> x <n> x <n> mm, <float> kg",
        "1 2 3 4 5 6 7 8 9", "1-2-3-4-5 breathing, 4-7-8 method", "8 8 8 8 / 4 4 4 4 (bit widths)", "p50=<n> p90=<n> p99=<n> max=<k>", "<spaced>\n<spaced>\n<spaced>", "0, 0, 0, 1, 0, 1, 1, 0, 0, 1", "sudoku row 5 3 . . 7 . . . .", "lotto 4 8 15 16 23 42", "matrix 1 0 0 0 1 0 0 0 1", "(<n>)(<n>)(<n>)", "[<n>][<n>][<n>]",
        "10\u00b2\u00b3 atoms, x\u00b2 + y\u00b2 = z\u00b2", "H\u2082SO\u2084 and C\u2086H\u2081\u2082O\u2086", "\u2460 open \u2461 paste \u2462 save \u2463 close", "1\ufe0f\u20e3 clone 2\ufe0f\u20e3 build 3\ufe0f\u20e3 test 4\ufe0f\u20e3 ship",
    ),
    "words": (
        "one two three four five six seven, the test counts along", "first one then two, three at most; four is too many", "Chapter Twenty-One: nineteen eighty-four revisited", "It takes two to tango and ten to bowl", "seven of nine, two of four, one of three", "the dot product at dot zero; see dot com bubble", "meet at dot on the map", "look at the dot. Com ports are listed below", "alpha, beta, gamma; Alpha Bravo and Charlie are squads",
        "delta between echo and golf clusters", "eins zwei drei vier, alle Tests gr\u00fcn", "un deux trois soleil", "uno dos tres, probando", "at most, dot files in dot git are ignored", "decorators start with at, e.g. at property", "twenty twenty-four was fine, twenty twenty-five is better", "nine out of ten times, five to six seconds, zero retries", "countdown: ten nine eight seven six five four three two one zero", "oh no, double trouble, triple seven on the slots",
    ),
    "code": (
        "@app.get(\"/items/{id}\")\n@cache(ttl=<n>)", "import { a } from '@scope/pkg@<semver>'", "SELECT * FROM t WHERE id IN (<id8>, <id8>, <id9>)", "s = \"abc\" + \"def\" + str(<n>)", "re.compile(r\"[\\w.]+@[\\w.]+\")", "user.name@property", "x = [\"<n>\", \"<n>\", \"<k>\"]", "{\"part1\": \"<n>\", \"part2\": \"<n>\"}", "self.card = Card(suit='spades', rank=<n>)", "phone = models.CharField(max_length=<n>)", "ssn: Optional[str] = None  # never logged",
        "def mrn(self) -> str: ...", "iban = Faker().iban", "ip, port = addr.split(':'); port = <n>", "const token = await getToken(<n>)", "#define MAX_CALLS <id6>", "mov eax, <id8>h\nxor ebx, ebx", "for i in 0..<id6> { call(i) }", "ports: [<k>, <k>, <k>]", "mailto: handler; scheme://authority", "pkg@<semver>.tgz fetched in <n>ms", "docker run -p <k>:<k> img@sha256:<sha256>", "uid=<n>(daemon) gid=<n> groups=<n>",
    ),
    "logs": (
        "<iso> call <id10> routed in <n>ms", "phone=false sms=false card_count=<n> ip_version=4", "record <id8> of <id9> processed", "cards: <n> open, <n> done, <n> blocked", "dial tcp: lookup svc: no such host (attempt <n>)", "pid <k> tid <id6> rss <id9> cell <n>", "patient: retry <n> times; account status <n>", "GC(<n>) Pause Young <n>M-><n>M(<n>M) <float>ms", "listening on 0.0.0.0:<k> and 127.0.0.1:<k>", "route 127.0.0.0/8 via 127.0.0.1 metric <n>", "mobile build <id8> passed, contact form e2e <n>/<n>", "TEL-<n> telemetry batch <id12> flushed", "msg <id12> acked, key=<short> offset <id9>", "SKU card-<n>-<n>-<n>: stock <k>",
        "rate limit: <n>/<n> calls, reset <epoch>", "bank=<n> row=<k> col=<n> refresh", "memory bank <n>, account shard <id6>", "social preview 1200x630, card 800x418", "fax module disabled; whatsapp hook <n>",
    ),
    "lists": (
        "id;qty;ts\n<id9>;<n>;<epoch>\n<id9>;<n>;<epoch>\n<id9>;<n>;<epoch>", "<tr><td><n></td><td><k></td><td><id6></td></tr>", "<li>step <n></li><li>step <n></li>", "> quoted <n>\n> quoted <k>\n> end", "- [ ] task <n>\n- [x] task <n>", "a\t<n>\t<n>\nb\t<n>\t<n>", "row <n>: <n> | <n> | <n> | <n>", "**<n>** of **<n>** checks, `<k>` skipped", "<k>=\n", "| 1 | 2 | 3 |\n|---|---|---|\n| <n> | <n> | <n> |", "[09:<n>] bot: build <n>\n[09:<n>] bot: build <n>\n[09:<n>] bot: done",
    ),
}  # fmt: skip


def technical(rng: random.Random, each: int = 4) -> Iterator[Invented]:
    """So many texts of each frame that has something to fill in, one of each other."""
    maker = Maker(rng)
    for category, frames in FRAMES.items():
        for frame in frames:
            texts = dict.fromkeys(maker.fill(frame) for _ in range(each))
            yield from (Invented(text, category) for text in texts)
