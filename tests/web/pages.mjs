// pages - every page in both themes before axe-core; at 320 pixels and at twice the size nothing is lost; pictures of all of them.
import { api, check, equal, go, person, shot, stage, test, until, violations } from "./lib.mjs";
import { ADMIN, loggedIn } from "./first.mjs";

async function routes(page) {
  const { json } = await api(page, "GET", "/assets?kind=user&source=corp&limit=1");
  const { json: runs } = await api(page, "GET", "/runs?limit=1");
  const { json: jobs } = await api(page, "GET", "/jobs?limit=1");
  const uid = json.items[0].uid;
  return [
    "/", "/assets", "/assets?kind=group&admin=yes", `/assets/corp/${uid}`, `/assets/corp/${uid}?tab=raw`, `/assets/corp/${uid}?tab=groups`, `/assets/corp/${uid}?tab=access`,
    `/assets/corp/${uid}?tab=history`, `/assets/corp/${uid}?tab=linked`, `/assets/corp/${uid}?tab=ocsf`, "/catalog", "/catalog/corp/user", "/changes", "/connectors", "/connectors/corp", "/connectors/new/type",
    "/connectors/new/connect?type=active_directory", "/connectors/new/connect?type=entra_id", "/connectors/corp/edit/connect", "/connectors/corp/edit/scope", "/connectors/corp/test",
    `/jobs/${jobs.items[0].id}`, `/runs/${runs.items[0].id}`, "/access/who-can", "/access/what-can", "/access/why", "/access/reports", "/access/reports?severity=high", "/alerts", "/alerts/rules", "/alerts/rules/new", "/settings/account", "/settings/tokens",
    "/settings/users", "/settings/oidc", "/settings/vault", "/settings/sinks", "/settings/delivery", "/settings/audit", "/settings/key", "/settings/about", "/help", "/help/rollcall.yaml.5", "/help/api", "/help/keys",
  ];
}

const settle = async (page) => {
  await page.waitForLoadState("networkidle").catch(() => {});
  await until(async () => (await page.locator('.loading, .is-loading, .is-faded, [aria-busy="true"]').count()) === 0, "it has loaded", 10).catch(() => {});
};

test("axe-core: no violation on any page, in both themes; no script error, nothing from outside", async () => {
  const page = await loggedIn();
  const bad = [];
  equal((await api(page, "PUT", "/session/preferences", { theme: "auto" })).status, 200, "the theme is the browser's");
  await page.reload();
  for (const route of await routes(page)) {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await go(page, route);
      await settle(page);
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const bright = background.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) > 382;
      equal(bright, colorScheme === "light", `${route}: the theme ${colorScheme} is in force (${background})`);
      for (const v of await violations(page)) bad.push(`${route} (${colorScheme}): ${v}`);
    }
    await shot(page, `page${route.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "user").replace(/[^a-z0-9]+/gi, "-")}`);
  }
  const stranger = await person();
  for (const colorScheme of ["light", "dark"]) {
    await stranger.emulateMedia({ colorScheme });
    await stranger.goto(stage.url);
    await stranger.getByRole("button", { name: "Log in", exact: true }).waitFor();
    for (const v of await violations(stranger)) bad.push(`log-in (${colorScheme}): ${v}`);
  }
  await shot(stranger, "login");
  equal([...bad, ...page.errors, ...stranger.errors], [], "violations");
  await page.context().close();
  await stranger.context().close();
});

test("320 pixels wide, and 200% of 1280: nothing is cut off, nothing scrolls sideways but tables", async () => {
  const bad = [];
  for (const [name, viewport] of [["320", { width: 320, height: 720 }], ["200%", { width: 640, height: 450 }]]) {
    const page = await loggedIn(ADMIN.name, ADMIN.password, { viewport });
    for (const route of await routes(page)) {
      await go(page, route);
      await settle(page);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 1) bad.push(`${name} ${route}: ${over} pixels too wide`);
      if (!(await page.locator("h1").first().isVisible())) bad.push(`${name} ${route}: no heading`);
    }
    await page.screenshot({ path: `${stage.screenshots}/narrow-${viewport.width}.png` });
    await page.context().close();
  }
  equal(bad, [], "lost");
});
