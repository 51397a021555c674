// first_view URL COOKIE-NAME COOKIE - how long a browser with an empty cache takes from the address to a page that can be used: Home, and the list of all assets.
// One line of JSON: {"home": [ms...], "assets": [ms...]}.
import { chromium } from "../tests/web/node_modules/playwright-core/index.mjs";

const [url, name, value] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const took = { home: [], assets: [] };
const ready = { home: ["/#/", "main h1"], assets: ["/#/assets", "main table tbody tr:nth-child(20)"] };
for (let i = 0; i < 9; i++) {
  for (const [what, [path, seen]] of Object.entries(ready)) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    await context.addCookies([{ name, value, url: url.replace("http:", "https:"), secure: true, httpOnly: true, sameSite: "Strict" }]);
    const page = await context.newPage();
    const began = performance.now();
    await page.goto(url + path, { waitUntil: "commit" });
    await page.locator(seen).waitFor();
    if (what === "home") await page.locator("main section, main [role=region]").first().waitFor();
    await page.evaluate(() => new Promise((done) => requestIdleCallback(() => done())));
    took[what].push(Math.round(performance.now() - began));
    await context.close();
  }
}
await browser.close();
console.log(JSON.stringify(took));
