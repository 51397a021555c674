// lib - what every case uses: a browser, pages that tell of every script error and CSP report, TAP, and the stage behind (tests/web_test.py).
import { mkdirSync, readFileSync } from "node:fs";
import readline from "node:readline";
import { chromium } from "playwright-core";

const input = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const nextLine = async () => JSON.parse((await input.next()).value);

export const stage = await nextLine();
export const lab = stage.lab;
mkdirSync(stage.screenshots, { recursive: true });

/** Asks the stage: ask("modify", ldif), ask("restart", "SIGKILL"), ask("knobs", {latency_ms: 100}) ... */
export async function ask(what, ...args) {
  const last = args[args.length - 1];
  const named = typeof last === "object" && last !== null && !Array.isArray(last) ? args.pop() : {};
  process.stdout.write(JSON.stringify({ do: what, args, named }) + "\n");
  const answer = await nextLine();
  if (!answer.ok) throw new Error(`${what}: ${answer.error}`);
  return answer.result;
}

const cases = [];
export const test = (name, run, always = false) => cases.push({ name, run, always });

export function check(condition, text) {
  if (!condition) throw new Error(text);
}
export const equal = (have, want, text) => check(JSON.stringify(have) === JSON.stringify(want), `${text}: ${JSON.stringify(have)}, wanted ${JSON.stringify(want)}`);

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });

/** Somebody at a browser of his own; errors collects what scripts and the policy complained of. */
export async function person(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ignoreHTTPSErrors: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10000);
  page.errors = [];
  page.on("pageerror", (e) => page.errors.push(`script: ${e.message}`));
  page.on("console", (m) => m.type() === "error" && !/status of (4|5)\d\d|ERR_(CONNECTION|INCOMPLETE|NETWORK|EMPTY_RESPONSE|SOCKET)/.test(m.text()) && page.errors.push(`console: ${m.text()}`));
  page.on("request", (r) => !r.url().startsWith(stage.url) && !/^(data|blob|about|chrome-error):/.test(r.url()) && page.errors.push(`outside: ${r.url()}`));
  return page;
}

/** To a page of ours, until it is drawn in place of the one before. */
export const go = async (page, route) => {
  const to = new URL(`/#${route}`, stage.url);
  const from = page.url();
  if (new URL(from).origin !== to.origin || from === to.href) await page.goto(to.href);
  else
    await page.evaluate((hash) => new Promise((done) => {
      const frame = (then) => () => requestAnimationFrame(then);
      addEventListener("hashchange", frame(frame(() => setTimeout(done))), { once: true }); // behind the router's own and the effects of what it draws
      location.hash = hash;
    }), to.hash);
  await page.locator("h1").first().waitFor();
};

/** Keeps back the answers to `what`, until the function that is returned is called. */
export async function hold(page, what) {
  let letGo;
  const isFree = new Promise((r) => { letGo = r; });
  await page.route(what, async (route) => { await isFree; await route.continue().catch(() => {}); });
  return async () => { letGo(); await page.unroute(what); };
}

/** A call of the API with the page's own session. */
export async function api(page, method, path, body) {
  return page.evaluate(
    async ([m, p, b]) => {
      const session = await (await fetch("/api/v1/session")).json();
      const answer = await fetch("/api/v1" + p, { method: m, headers: { "X-Rollcall-CSRF": session.csrf ?? "", ...(b ? { "Content-Type": "application/json" } : {}) }, body: b && JSON.stringify(b) });
      const text = await answer.text();
      return { status: answer.status, json: text ? JSON.parse(text) : null };
    },
    [method, path, body],
  );
}

export async function until(what, text, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await what();
    if (value) return value;
    check(Date.now() < end, `did not happen within ${seconds} s: ${text}`);
    await new Promise((r) => setTimeout(r, 200));
  }
}

const axe = readFileSync(stage.axe, "utf8");
/** What axe-core has against the page as it is now. Evaluated in an isolated world, so that the page's policy stands. */
export async function violations(page) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
  await session.send("Runtime.evaluate", { expression: axe, contextId });
  const tags = '["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]';
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    expression: `axe.run(document, {runOnly: ${tags}}).then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.help + " -- " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " (" + (n.any[0]?.message ?? "") + ")").join(" | "))))`,
    contextId, awaitPromise: true,
  });
  await session.detach();
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return JSON.parse(result.value);
}

export async function main(only) {
  const chosen = only ? cases.filter((c) => c.name.includes(only) || c.always) : cases;
  let failed = 0;
  for (const [i, c] of chosen.entries()) {
    const began = Date.now();
    try {
      await c.run();
      console.log(`ok ${i + 1} - ${c.name} # ${((Date.now() - began) / 1000).toFixed(1)}s`);
    } catch (e) {
      failed++;
      console.log(`not ok ${i + 1} - ${c.name}`);
      console.log(String(e.stack).split("\n").slice(0, 25).map((l) => `# ${l}`).join("\n"));
      let n = 0;
      for (const context of browser.contexts())
        for (const page of context.pages()) await page.screenshot({ path: `${stage.screenshots}/failed-${i + 1}-${n++}.png` }).catch(() => {});
    }
    for (const context of browser.contexts()) await context.close();
  }
  console.log(`1..${chosen.length}`);
  await browser.close();
  process.exit(failed ? 1 : 0);
}

/** A picture for people to look at, in both themes. */
export async function shot(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(100);
    await page.screenshot({ path: `${stage.screenshots}/${name}-${colorScheme}.png`, timeout: 30000 });
  }
  await page.emulateMedia({ colorScheme: null });
}
