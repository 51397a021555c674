#!/usr/bin/python3
"""page.py WEB OUT.c OUT.d: the files of WEB/dist as one C file that includes their bytes; a page that says what is missing if there is no dist.

Builds the page first (WEB/build.sh) when something is newer than dist. OUT.d names what it depends on.
"""
import fcntl
import gzip
import hashlib
import os
import shutil
import subprocess
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
         ".png": "image/png", ".ico": "image/x-icon", ".json": "application/json", ".txt": "text/plain; charset=utf-8", ".woff2": "font/woff2",
         ".webmanifest": "application/manifest+json"}
PLACEHOLDER = (b"<!doctype html><html lang=en><meta charset=utf-8><title>rollcall</title><h1>rollcall</h1>"
               b"<p>This binary was built without its page (web/). The API is at <a href=/api/openapi.json>/api/openapi.json</a>.")


def files_below(top):
    for directory, names, files in os.walk(top):
        names[:] = sorted(n for n in names if n not in ("node_modules", "dist", "coverage") or directory != top)
        for name in sorted(files):
            yield os.path.join(directory, name)


def newest(paths):
    return max((os.stat(p).st_mtime_ns for p in paths), default=0)


def build(web):
    """WEB/dist is made again when something is newer than it; several builds of the binary take turns."""
    script, index = os.path.join(web, "build.sh"), os.path.join(web, "dist", "index.html")
    if not os.path.exists(script):
        return
    if os.path.exists(index) and os.stat(index).st_mtime_ns > newest(files_below(web)):
        return
    p = subprocess.run([script], cwd=web, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if p.returncode:
        sys.exit("page.py: %s failed (a binary without the page: meson setup -Dpage=false):\n%s" % (script, p.stdout))


def collect(dist, aside):
    """[(path, type, plain file, gz file)] by path, of a copy of dist that nobody else builds anew meanwhile."""
    shutil.rmtree(aside, ignore_errors=True)
    if os.path.exists(os.path.join(dist, "index.html")):
        shutil.copytree(dist, aside)
    else:
        os.makedirs(aside)
        with open(os.path.join(aside, "index.html"), "wb") as f:
            f.write(PLACEHOLDER)
    rows = []
    for path in files_below(aside):
        kind = TYPES.get(os.path.splitext(path)[1])
        if kind:
            rows.append(("/" + os.path.relpath(path, aside), kind, path, path + ".gz" if os.path.exists(path + ".gz") else None))
    return sorted(rows, key=lambda r: r[0].encode())


def include(symbol, path):
    return ('__asm__(".section .rodata\\n.balign 16\\n.global %s\\n%s:\\n.incbin \\"%s\\"\\n.global %s_end\\n%s_end:\\n.byte 0\\n.previous\\n");\n'
            "extern const unsigned char %s[] __attribute__((visibility(\"hidden\"))), %s_end[] __attribute__((visibility(\"hidden\")));\n"
            % (symbol, symbol, os.path.abspath(path), symbol, symbol, symbol, symbol))


def write(rows, out):
    text, table = ['/* Made by page.py. */\n#include "api/http/static.h"\n'], []
    for i, (path, kind, plain, zipped) in enumerate(rows):
        text.append(include("page_plain_%d" % i, plain))
        if zipped:
            text.append(include("page_gzip_%d" % i, zipped))
        with open(plain, "rb") as f:
            content = f.read()
        if zipped:
            with gzip.open(zipped) as f:
                assert f.read() == content, zipped + " is not " + plain
        table.append('    {"%s", "%s", page_plain_%d, %s, %d, %d, "%s"},\n' % (
            path, kind, i, "page_gzip_%d" % i if zipped else "0", len(content), os.path.getsize(zipped) if zipped else 0, hashlib.sha256(content).hexdigest()[:32]))
    text.append("const struct page_file page_files[] = {\n%s};\nconst size_t n_page_files = %d;\n" % ("".join(table), len(rows)))
    with open(out, "w") as f:
        f.write("".join(text))


def main():
    web, out, depfile = sys.argv[1:]
    sources = []
    rows = []
    if os.path.isdir(web):
        with open(os.path.join(web, "build.sh"), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            build(web)
            rows = collect(os.path.join(web, "dist"), out + ".files")
        sources = list(files_below(web))
        sources += sorted({os.path.dirname(p) for p in sources})
    else:
        rows = collect(web, out + ".files")
    write(rows, out)
    with open(depfile, "w") as f:
        f.write("%s: %s\n" % (out, " ".join(p.replace(" ", "\\ ") for p in sources if os.path.exists(p))))


main()
