// build.mjs - src/ into dist/: hashed names, index.html, a .gz beside each file. Fails when the page outgrows its budget.
//   node build.mjs [--out DIR] [--dev]     --dev: not minified, with source maps
import { build } from "esbuild";
import { gzipSync } from "node:zlib";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const BUDGET = 250_000; // bytes, gzipped, all chunks together
const here = dirname(fileURLToPath(import.meta.url));
const arguments_ = process.argv.slice(2);
const dev = arguments_.includes("--dev");
const out = arguments_.includes("--out") ? arguments_[arguments_.indexOf("--out") + 1] : join(here, "dist");

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const result = await build({
    absWorkingDir: here,
    entryPoints: [{ in: "src/main.tsx", out: "app" }, { in: "src/style/index.css", out: "app" }],
    outdir: out,
    bundle: true,
    splitting: true,
    format: "esm",
    target: ["es2022", "chrome110", "firefox110", "safari16.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    minify: !dev,
    sourcemap: dev ? "linked" : false,
    legalComments: "none",
    charset: "ascii", // invisible characters of our own tables stay readable in the bundle, too
    metafile: true,
    logLevel: "warning",
});

const names = Object.entries(result.metafile.outputs);
const entry = (ending) => {
    const found = names.find(([name, o]) => o.entryPoint !== undefined && name.endsWith(ending) && /^app-/.test(name.split("/").pop()));
    return found[0].split("/").pop();
};
// What the entry imports at once is fetched beside it instead of after it.
const main = names.find(([name]) => name.endsWith("/" + entry(".js")))[1];
const preloads = main.imports.filter((i) => i.kind === "import-statement").map((i) => `<link rel="modulepreload" href="/${i.path.split("/").pop()}">`);
writeFileSync(join(out, "index.html"), readFileSync(join(here, "src/index.html"), "utf8")
    .replace("%SCRIPT%", entry(".js")).replace("%STYLE%", entry(".css")).replace("%PRELOADS%", preloads.join("\n")));

copyFileSync(join(here, "src/icon.svg"), join(out, "icon.svg"));

let total = 0;
for (const name of readdirSync(out).sort()) {
    if (name.endsWith(".map")) continue;
    const bytes = readFileSync(join(out, name));
    const packed = gzipSync(bytes, { level: 9 });
    writeFileSync(join(out, name + ".gz"), packed);
    total += packed.length;
    console.log(`${String(bytes.length).padStart(9)} ${String(packed.length).padStart(8)} gz  ${name}`);
}
console.log(`${String(total).padStart(18)} gz  of ${BUDGET}`);
if (total > BUDGET && !dev) {
    console.error("the page is over its budget: see what grew with --dev and esbuild's metafile");
    process.exit(1);
}
