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
