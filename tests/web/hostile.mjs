// hostile - a thousand strings that would be scripts somewhere, in every attribute that the directory lets one write: none runs, and the policy has nothing to report.
import { api, ask, check, equal, go, shot, test, until } from "./lib.mjs";
import { loggedIn } from "./first.mjs";
import { sync } from "./assets.mjs";

test("1,000 hostile strings in every attribute: 0 scripts run, 0 reports of the policy, names that deceive are shown as what they are", async () => {
  const n = await ask("hostile");
  check(n >= 1000, `${n} strings`);
  const page = await loggedIn();
  page.on("dialog", (d) => { page.errors.push(`dialog: ${d.message()}`); void d.dismiss(); });
  equal((await sync(page, "corp")).state, "done", "they are read");
  const uids = [];
  for (let after = ""; after !== null; ) {
    const { json } = await api(page, "GET", `/assets?q=hostile&source=corp&limit=1000${after && `&after=${encodeURIComponent(after)}`}`);
    uids.push(...json.items.map((i) => i.uid));
    after = json.next;
  }
  check(uids.length >= 60, `${uids.length} of them are found`);
  await go(page, "/assets?source=corp&q=hostile");
  for (let i = 0; i < 4; i++) {
    await page.waitForTimeout(300);
    const more = page.getByRole("button", { name: /more|next/i }).first();
    if (!(await more.isVisible().catch(() => false)) || !(await more.isEnabled())) break;
    await more.click();
  }
  await shot(page, "hostile-assets");
  for (const [i, uid] of uids.slice(0, 60).entries()) {
    await go(page, `/assets/corp/${uid}${["", "?tab=raw", "?tab=history"][i % 3]}`);
    await page.waitForTimeout(40);
    if (i === 1) await shot(page, "hostile-raw");
  }
  await go(page, "/changes?q=hostile");
  await page.waitForTimeout(500);
  await go(page, `/access/what-can?principal=${uids[0]}`);
  await page.waitForTimeout(800);
  equal(await page.evaluate(() => window.__hacked ?? 0), 0, "scripts that ran");
  equal(await ask("reports"), 0, "reports of the policy");
  equal(page.errors, [], "errors of the page");
  const shown = await page.evaluate(() => document.querySelectorAll("script:not([src]), iframe, object, embed, [onerror], [onload], [onclick]").length);
  equal(shown, 0, "elements that text has become");
  await page.context().close();
});
