// access - who can change the members of Domain Admins, and why can one of them: on the page as on the command line.
import { api, check, equal, go, lab, shot, test, until } from "./lib.mjs";
import { loggedIn } from "./first.mjs";

const TARGET = `CN=Domain Admins,CN=Users,${lab.BASE}`;
const RIGHT = "WRITE_PROPERTY:member";

test("who can: the table names as many as the answer, and says how many are hidden", async () => {
  const page = await loggedIn();
  const q = `target=${encodeURIComponent(TARGET)}&right=${encodeURIComponent(RIGHT)}`;
  const answer = (await api(page, "GET", `/access/who-can?${q}&limit=500`)).json;
  check(answer.total > 5 && answer.items.length > 5, JSON.stringify(answer).slice(0, 300));
  await go(page, `/access/who-can?${q}`);
  await page.getByRole("row").nth(3).waitFor();
  await shot(page, "access-who-can");
  const names = answer.items.slice(0, 5).map((i) => i.principal.name);
  for (const name of names) await page.getByRole("row").filter({ hasText: name }).first().waitFor();
  check(/hidden/i.test(await page.locator("main").innerText()), "how many are hidden is said");
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

test("why: yes with the deciding entry and the chain of groups, no with a reason; the path is drawn and listed", async () => {
  const page = await loggedIn();
  const q = `target=${encodeURIComponent(TARGET)}&right=${encodeURIComponent(RIGHT)}`;
  const holder = (await api(page, "GET", `/access/who-can?${q}&limit=500`)).json.items.find((i) => i.via.hops >= 2);
  await go(page, `/access/why?${q}&principal=${encodeURIComponent(holder.principal.dn)}`);
  await page.getByText(/YES/).first().waitFor();
  const text = await page.locator("main").innerText();
  check(/decided by/.test(text) && text.includes(holder.via.trustee.name), text.slice(0, 800));
  await page.locator("main svg").filter({ has: page.locator("text") }).first().waitFor();
  await shot(page, "access-why");
  const nobody = (await api(page, "GET", "/assets?kind=user&source=corp&enabled=yes&admin=no&limit=50")).json.items.find((u) => /^[A-Za-z0-9 =,.]+$/.test(u.dn));
  await go(page, `/access/why?${q}&principal=${encodeURIComponent(nobody.dn)}`);
  await page.getByText(/^NO|NO /).first().waitFor();
  const what = `/access/what-can?principal=${encodeURIComponent(holder.principal.dn)}`;
  await go(page, what);
  await page.getByRole("row").nth(2).waitFor();
  await shot(page, "access-what-can");
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

/** The group Domain Admins, and the questions about access that the page asks from here on. */
async function atDomainAdmins(page) {
  const found = (await api(page, "GET", "/access/find?q=domain+admins&kind=group&connector=corp")).json.items;
  const group = found.find((g) => g.name === "Domain Admins");
  check(group, `Domain Admins is not among ${JSON.stringify(found).slice(0, 300)}`);
  const asked = [];
  page.on("request", (r) => /\/api\/v1\/access\/(who-can|what-can|why)\?/.test(r.url()) && asked.push(new URL(r.url())));
  const isAsked = (what, text) =>
    until(async () => asked.some((u) => u.pathname.endsWith(`/${what}`) && u.searchParams.get("connector") === "corp" && u.searchParams.get("right") === "WRITE_DAC"), text, 15);
  return { group, asked, isAsked };
}

test("from an asset to the explorer: its name, its connector and the chosen right go along", async () => {
  const page = await loggedIn();
  const { group, asked, isAsked } = await atDomainAdmins(page);
  const tab = `/assets/corp/${group.uid}?tab=access&side=who-can&right=WRITE_DAC`;
  await go(page, tab);
  await page.getByRole("row").nth(1).waitFor();
  asked.length = 0;
  await page.getByRole("link", { name: "Open in the access explorer" }).click();
  await page.getByRole("heading", { name: "Access explorer", level: 1 }).waitFor();
  const target = page.getByRole("combobox", { name: "On which object" });
  await until(async () => (await target.inputValue()) === "Domain Admins", "the object is called by its name");
  equal(await page.getByRole("combobox", { name: "Right", exact: true }).inputValue(), "WRITE_DAC", "the chosen right");
  await isAsked("who-can", "who-can is asked of the connector");
  await page.getByRole("row").nth(1).getByRole("button").first().click();
  await page.getByRole("region", { name: "Why", exact: true }).getByText(/YES/).first().waitFor();
  await isAsked("why", "the row's explanation is asked of the connector");
  await go(page, tab);
  const why = page.getByRole("row").nth(1).getByRole("link", { name: /^Why / });
  await why.waitFor();
  asked.length = 0;
  await why.click();
  await page.waitForURL(/#\/access\/why\?/);
  await until(async () => (await target.inputValue()) === "Domain Admins", "the object is called by its name here, too");
  check(!/^[0-9a-f]{8}-/.test(await page.getByRole("combobox", { name: "Who", exact: true }).inputValue()), "who is called by a name");
  await isAsked("why", "why is asked of the connector");
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

test("Escape gives up what was typed for another object; 'another right' without a name is none", async () => {
  const page = await loggedIn();
  const { group } = await atDomainAdmins(page);
  await go(page, `/access/who-can?target=${group.uid}&target_in=corp&right=WRITE_DAC`);
  const target = page.getByRole("combobox", { name: "On which object" });
  await until(async () => (await target.inputValue()) === "Domain Admins", "the object is called by its name");
  await target.fill("half a na");
  await page.keyboard.press("Escape");
  equal(await target.inputValue(), "Domain Admins", "the name is back");
  await page.keyboard.press("Tab");
  check(page.url().includes(`target=${group.uid}`), `half a name was taken: ${page.url()}`);
  await page.getByRole("row").nth(1).waitFor();
  const right = page.getByRole("combobox", { name: "Right", exact: true });
  await right.selectOption("*other");
  await until(async () => !page.url().includes("right="), "the right before is not kept unseen", 10);
  await page.getByRole("combobox", { name: "Name of the right" }).waitFor();
  await page.goBack();
  await until(async () => (await right.inputValue()) === "WRITE_DAC", "Back shows the right before", 10);
  equal(await page.getByRole("combobox", { name: "Name of the right" }).count(), 0, "fields for another right");
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});
