// dev.mjs - work on the page without building the binary: node dev.mjs http://127.0.0.1:8443 [PORT]
// Builds anew whenever index.html is asked for, serves that with the server's own policy, and hands everything below /api to the server that runs.
import http from "node:http";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const server = new URL(process.argv[2] ?? "http://127.0.0.1:8443");
const port = Number(process.argv[3] ?? 8090);
const here = dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(join(tmpdir(), "rollcall-page-"));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".map": "application/json" };
// As always[] in src/api/http/http_reply.c.
const POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; " +
    "form-action 'self'; require-trusted-types-for 'script'";

function file(path, response) {
    if (path === "/") spawnSync(process.execPath, [join(here, "build.mjs"), "--dev", "--out", out], { stdio: ["ignore", "ignore", "inherit"] });
    const name = path === "/" ? "index.html" : path.slice(1);
    if (!/^[\w.-]+$/.test(name) || !existsSync(join(out, name))) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": TYPES[extname(name)] ?? "application/octet-stream", "Content-Security-Policy": POLICY, "Cache-Control": "no-store" });
    return response.end(readFileSync(join(out, name)));
}

http.createServer((request, response) => {
    const path = new URL(request.url, "http://page").pathname;
    if (!path.startsWith("/api/")) return file(path, response);
    const headers = { ...request.headers, host: server.host };
    if (headers.origin !== undefined) headers.origin = server.origin;
    const forward = http.request(new URL(request.url, server), { method: request.method, headers }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
    });
    forward.on("error", (e) => response.writeHead(502).end(String(e)));
    response.on("close", () => forward.destroy());
    return request.pipe(forward);
}).listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/ with the API of ${server.origin}`));
