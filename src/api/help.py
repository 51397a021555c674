#!/usr/bin/python3
"""help.py MAN_DIRECTORY OUT.c OUT.d: the manual pages as C, each as HTML of a few harmless elements.

mandoc makes the HTML; without it a page is its text. Whatever made it, only what is listed here gets through.
"""
import html
import html.parser
import os
import re
import shutil
import subprocess
import sys

ALLOWED = {"h1", "h2", "h3", "p", "br", "dl", "dt", "dd", "ul", "ol", "li", "pre", "code", "b", "i", "em", "strong", "span", "div", "section", "table", "tbody", "tr", "td",
           "th", "a", "var", "small"}
VOID = {"br"}


class Cleaner(html.parser.HTMLParser):
    """Copies allowed elements with their id and href (to a place of the page or to another page), and text."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.out, self.open, self.skip = [], [], 0

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "style", "head"):
            self.skip += 1
        if self.skip or tag not in ALLOWED:
            return
        kept = ""
        for name, value in attrs:
            safe = (name == "id" and re.fullmatch(r"[A-Za-z0-9_.~:-]+", value or "")) or (
                name == "href" and tag == "a" and re.fullmatch(r"#[A-Za-z0-9_.~:/-]+", value or ""))
            kept += ' %s="%s"' % (name, html.escape(value)) if safe else ""
        self.out.append("<%s%s>" % (tag, kept))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in ("script", "style", "head"):
            self.skip = max(0, self.skip - 1)
        elif not self.skip and tag in self.open:
            while self.open:
                last = self.open.pop()
                self.out.append("</%s>" % last)
                if last == tag:
                    break

    def handle_data(self, data):
        if not self.skip:
            self.out.append(html.escape(data, quote=False))

    def result(self):
        return "".join(self.out) + "".join("</%s>" % t for t in reversed(self.open))


def to_html(path):
    if shutil.which("mandoc"):
        made = subprocess.run(["mandoc", "-T", "html", "-O", "fragment,man=#/help/%N.%S", path], stdout=subprocess.PIPE, check=True).stdout.decode()
    else:
        with open(path, encoding="utf-8") as f:
            made = "<pre>%s</pre>" % html.escape("".join(re.sub(r"^\.(\w\w) ?", "", line) for line in f if not line.startswith('.\\"')))
    cleaner = Cleaner()
    cleaner.feed(made)
    cleaner.close()
    return cleaner.result()


def title(path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.startswith(".Nd "):
                return line[4:].strip()
    return os.path.basename(path)


def literal(text):
    """A C string in pieces, as compilers need not take more than 4095 characters of one."""
    raw = text.encode()
    pieces = [raw[i:i + 400] for i in range(0, len(raw), 400)] or [b""]
    return "\n".join('    "%s"' % "".join(chr(c) if 32 <= c < 127 and c not in b'"\\?' else "\\%03o" % c for c in piece) for piece in pieces)


def main():
    directory, out, depfile = sys.argv[1:]
    pages = sorted(p for p in os.listdir(directory) if re.fullmatch(r"[\w.-]+\.[1-9]", p)) if os.path.isdir(directory) else []
    rows = []
    for name in pages:
        path = os.path.join(directory, name)
        rows.append("{%s,\n%s,\n%s}" % (literal(name), literal(title(path)), literal(to_html(path))))
    with open(out, "w") as f:
        f.write('/* Made by help.py. */\n#include "api/help.h"\n\nconst struct help_page help_pages[] = {\n%s};\nconst size_t n_help_pages = %d;\n'
                % (",\n".join(rows), len(rows)))
    with open(depfile, "w") as f:
        f.write("%s: %s\n" % (out, " ".join([directory] + [os.path.join(directory, p) for p in pages])))


main()
