// assets - search, facets, detail, history: a change made in the directory is seen where one looks for it.
import { api, ask, check, equal, go, hold, lab, shot, test, until } from "./lib.mjs";
import { loggedIn } from "./first.mjs";

/** Syncs and waits. */
export async function sync(page, connector) {
  const begun = await api(page, "POST", `/connectors/${connector}/sync`, {});
  check(begun.status === 202, `sync ${connector}: ${JSON.stringify(begun.json)}`);
  return until(async () => {
    const j = (await api(page, "GET", `/jobs/${begun.json.job}`)).json;
    return !["queued", "running"].includes(j.state) && j;
  }, `the run of ${connector} ends`, 90);
}

export const find = async (page, q, kind) => (await api(page, "GET", `/assets?q=${encodeURIComponent(q)}${kind ? `&kind=${kind}` : ""}`)).json.items;

test("assets are searched, filtered and opened; the address is the state of the page", async () => {
  const page = await loggedIn();
  await go(page, "/assets");
  await page.keyboard.press("/");
  await page.keyboard.type("domain adm");
  await page.waitForURL(/q=domain(%20|\+)adm/);
  await until(async () => [1, 2, 3, 4].includes((await page.locator("tbody tr").count())), "the list narrows");
  await page.getByRole("link", { name: /Domain Admins$/ }).waitFor();
  await page.keyboard.press("Escape"); // leaves the search, and does not empty it
  equal(await page.getByRole("searchbox", { name: "Search assets" }).inputValue(), "domain adm", "what is searched for");
  const address = page.url();
  await page.reload();
  await page.getByRole("link", { name: /Domain Admins$/ }).waitFor();
  equal(page.url(), address, "the address");
  await go(page, "/assets");
  const search = page.getByRole("searchbox", { name: "Search assets" });
  const rows = page.locator("tbody [data-row]");
  const isAsked = page.locator('[aria-label="Assets"][aria-busy="true"]');
  let answer = await hold(page, /\/assets\?.*q=adm/);
  await search.fill("adm");
  await page.waitForURL(/q=adm/);
  await isAsked.waitFor();
  await page.keyboard.press("Escape");
  for (const key of ["j", "j", "j", "k"]) await page.keyboard.press(key); // while it is asked: all of them count, among the rows that come
  await answer();
  await until(() => rows.evaluateAll((all) => all.indexOf(document.activeElement) === 1), "the second row has the focus");
  await page.keyboard.press("/");
  answer = await hold(page, /\/assets\?.*q=admi/);
  await page.keyboard.type("i");
  await page.waitForURL(/q=admi/);
  await isAsked.waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("/"); // gone back to the search meanwhile: it is left alone
  await answer();
  await until(async () => (await page.getByRole("region", { name: "Assets" }).getAttribute("aria-busy")) === "false", "the list is there");
  check(await search.evaluate((e) => e === document.activeElement), "the focus was taken out of the search");
  await go(page, "/assets");
  await page.getByRole("checkbox", { name: /^Computers/ }).check();
  await page.waitForURL(/kind=computer/);
  const narrowed = page.url();
  await page.keyboard.press("/"); // from the facets to the search: it narrows further, and forgets nothing
  check(await search.evaluate((e) => e === document.activeElement), "/ leads to the search");
  equal(page.url(), narrowed, "the address");
  const facets = (await api(page, "GET", "/assets/facets?kind=computer")).json;
  await until(async () => (await page.getByRole("row").count()) === facets.total + 1, `${facets.total} computers are listed`);
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

test("a change in the directory: history with before and after, the list of changes", async () => {
  const page = await loggedIn();
  const user = (await api(page, "GET", "/assets?kind=user&source=corp&enabled=yes&limit=100")).json.items.find((u) => /^[A-Za-z0-9 =,.]+$/.test(u.dn) && !u.admin && /OU=/.test(u.dn));
  await ask("modify", `dn: ${user.dn}\nchangetype: modify\nreplace: title\ntitle: Keeper of the Rolls\n`);
  const job = await sync(page, "corp");
  equal(job.state, "done", JSON.stringify(job.error));
  await go(page, `/assets/corp/${user.uid}?tab=history`);
  await page.getByText("Keeper of the Rolls").first().waitFor();
  await shot(page, "asset-history");
  for (const tab of ["", "?tab=raw", "?tab=groups", "?tab=access", "?tab=linked", "?tab=ocsf"]) {
    await go(page, `/assets/corp/${user.uid}${tab}`);
    await page.waitForTimeout(300);
    await shot(page, `asset${tab.replace("?tab=", "-")}`);
  }
  await page.getByText('"class_uid"').first().waitFor();
  await go(page, "/changes?attribute=title");
  await page.getByText("Keeper of the Rolls").first().waitFor();
  await shot(page, "changes");
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

test("an asset's labels stay over its tabs; a group that was not read is shown, and leads nowhere", async () => {
  const page = await loggedIn();
  const user = (await api(page, "GET", "/assets?kind=user&source=corp&enabled=yes&limit=1")).json.items[0];
  const label = page.getByRole("textbox", { name: "New label", exact: true });
  const labels = async () => (await api(page, "GET", `/assets/corp/${user.uid}`)).json.labels;
  await go(page, `/assets/corp/${user.uid}`);
  for (const [text, want] of [["vip", ["vip"]], ["hr", ["hr", "vip"]]]) {
    await label.fill(text);
    await page.keyboard.press("Enter");
    await until(async () => JSON.stringify((await labels())?.toSorted()) === JSON.stringify(want), `the labels are ${want}`);
    await page.getByRole("link", { name: "Raw", exact: true }).click();
    await page.waitForURL(/tab=raw/);
    await page.getByRole("link", { name: "Overview", exact: true }).click();
    for (const one of want) await page.getByRole("list", { name: "Labels", exact: true }).getByText(one, { exact: true }).waitFor();
  }
  for (const one of ["hr", "vip"]) await page.getByRole("button", { name: `Remove the label ${one}` }).click();
  await until(async () => (await labels()).length === 0, "both are gone");
  // As of a Base DN that the group lies outside of
  const unread = { uid: null, name: "S-1-5-21-1-2-3-513", sid: "S-1-5-21-1-2-3-513", kind: null, via: "primary_group", level: 1 };
  delete unread.uid;
  await page.route(/\/groups/, (route) => route.fulfill({ json: { items: [unread], next: null } }));
  await go(page, `/assets/corp/${user.uid}?tab=groups`);
  await page.getByRole("row", { name: /513.*Not read/ }).waitFor();
  equal(await page.getByRole("row", { name: /513/ }).getByRole("link").count(), 0, "links of what was not read");
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

test("changes: days are typed or picked, and the last one is in it", async () => {
  const page = await loggedIn();
  await go(page, "/changes");
  await page.getByRole("textbox", { name: "Until", exact: true }).or(page.getByLabel("Until", { exact: true })).first().fill("2026-03-05");
  await page.waitForURL(/until=2026-03-0[56]T/);
  equal(new Date(new URL(page.url().replace("#/", "")).searchParams.get("until")).toLocaleDateString("sv"), "2026-03-06", "what is no longer in it");
  equal(await page.getByLabel("Until", { exact: true }).inputValue(), "2026-03-05", "the day that is shown");
  await page.getByLabel("From", { exact: true }).pressSequentially("03052026");
  await page.waitForURL(/since=2026-03-0[45]T/);
  equal(await page.getByLabel("From", { exact: true }).inputValue(), "2026-03-05", "what was typed");
  const attribute = page.getByRole("textbox", { name: "Attribute", exact: true });
  await attribute.pressSequentially("tit");
  await page.getByLabel("Kind", { exact: true }).selectOption("user");
  await page.waitForURL(/kind=user/);
  await until(async () => (await page.locator("main [aria-busy=true]").count()) === 0, "the answer is there");
  equal(await attribute.inputValue(), "tit", "what is being typed");
  await page.keyboard.press("Tab");
  await page.waitForURL(/attribute=tit/);
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

test("who has logged out and goes back is at the log-in, and comes to where he was going", async () => {
  const page = await loggedIn();
  await go(page, "/assets?kind=computer");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL(/#\/login/);
  await page.goBack();
  await page.waitForURL(/#\/login\?next=/);
  await page.getByRole("textbox", { name: "Name", exact: true }).waitFor();
  await page.context().close();
});

test("export and the equivalents: as command, as call of the API", async () => {
  const page = await loggedIn();
  await go(page, "/assets?kind=computer&source=corp");
  await page.getByRole("row").nth(2).waitFor();
  const answer = await page.evaluate(async () => {
    const a = await fetch("/api/v1/assets/export?kind=computer&source=corp&format=csv");
    return { status: a.status, type: a.headers.get("content-type"), text: await a.text() };
  });
  equal(answer.status, 200, "export");
  const { total } = (await api(page, "GET", "/assets/facets?kind=computer&source=corp")).json;
  equal(answer.text.trim().split("\r\n").length, total + 1, "lines of the file");
  await page.getByRole("button", { name: /Copy as/ }).click();
  await page.getByText(/rollcall (entity|api)/).first().waitFor();
  await page.keyboard.press("Escape");
  await page.context().close();
});
