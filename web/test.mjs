// test.mjs - the tests beside the sources (src/**/*_test.ts), bundled and run by node's own runner: node test.mjs
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const tests = readdirSync(join(here, "src"), { withFileTypes: true }).filter((d) => d.isDirectory())
    .flatMap((d) => readdirSync(join(here, "src", d.name)).filter((f) => /_test\.tsx?$/.test(f)).map((f) => join(here, "src", d.name, f)));
const out = mkdtempSync(join(tmpdir(), "rollcall-web-"));
try {
    await build({
        entryPoints: tests, outdir: out, outExtension: { ".js": ".mjs" }, bundle: true, platform: "node", format: "esm", target: "node18", jsx: "automatic",
        jsxImportSource: "preact", logLevel: "warning", absWorkingDir: here,
    });
    const files = readdirSync(out, { recursive: true }).filter((f) => f.endsWith(".mjs")).map((f) => join(out, f));
    process.exitCode = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" }).status ?? 1;
} finally {
    rmSync(out, { recursive: true, force: true });
}
