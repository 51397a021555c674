// alerts - a rule is a saved question: somebody is put into Domain Admins by ldapmodify, and it fires.
import { api, ask, check, equal, go, lab, shot, test, until } from "./lib.mjs";
import { loggedIn } from "./first.mjs";
import { find, sync } from "./assets.mjs";

test("an alert fires when somebody is put into Domain Admins, and says whom", async () => {
  const page = await loggedIn();
  const group = (await find(page, "Domain Admins", "group")).find((g) => g.name === "Domain Admins" && g.connector === "corp");
  const made = await api(page, "POST", "/alerts/rules", {
    name: "New domain admins", severity: "high", enabled: true, throttle: "0s", destination: { type: "none" },
    condition: { type: "group_member", connector: "corp", group: group.uid, nested: true, change: "added" },
  });
  equal(made.status, 201, JSON.stringify(made.json));
  const user = (await api(page, "GET", "/assets?kind=user&source=corp&enabled=yes&admin=no&limit=100")).json.items.find((u) => /^[A-Za-z0-9 =,.]+$/.test(u.dn) && /OU=/.test(u.dn));
  await ask("modify", `dn: ${group.dn}\nchangetype: modify\nadd: member\nmember: ${user.dn}\n`);
  await sync(page, "corp");
  const alert = await until(async () => (await api(page, "GET", "/alerts")).json.items.find((a) => a.name === "New domain admins"), "the alert is there", 30);
  check(JSON.stringify(alert).includes(user.name), `it names ${user.name}: ${JSON.stringify(alert)}`);
  await go(page, "/alerts");
  await page.getByText("New domain admins").first().waitFor();
  await shot(page, "alerts");
  await page.getByRole("button", { name: /Acknowledge/ }).first().click();
  await until(async () => (await api(page, "GET", "/alerts?state=open")).json.items.length === 0, "it is acknowledged");
  await go(page, "/alerts/rules/new");
  await shot(page, "alert-rule");
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

test("reports: they have run by themselves; each finding says why, what to do, and leads to whom it concerns", async () => {
  const page = await loggedIn();
  await go(page, "/");
  await page.getByRole("link", { name: "Reports", exact: true }).click();
  await page.getByRole("heading", { name: "Reports", level: 1 }).waitFor();
  const finding = page.locator("main details").first();
  await finding.locator("summary").click();
  await finding.getByText("What to do:").waitFor();
  await shot(page, "reports");
  await finding.getByRole("listitem").getByRole("link").first().click();
  await page.waitForURL(/#\/assets\/[a-z]+\//);
  await go(page, "/access/reports");
  await page.getByRole("button", { name: "Run now" }).click();
  await until(async () => (await api(page, "GET", "/jobs?kind=report")).json.items.some((j) => j.by === "admin" && j.state === "done"), "it has run");
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});
