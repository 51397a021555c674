// first - from the URL that the server prints to the first assets: no file edited by hand, at most 12 fields filled in.
import { api, check, equal, go, lab, person, shot, stage, test, until } from "./lib.mjs";

export const ADMIN = { name: "admin", password: "Correct-Horse-9" };

/** Somebody who is logged in. */
export async function loggedIn(name = ADMIN.name, password = ADMIN.password, options = {}) {
  const page = await person(options);
  await page.goto(stage.url);
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await page.getByRole("textbox", { name: "Password", exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  return page;
}

/** Counts what is filled in. */
function filler(page) {
  const fill = async (name, value) => {
    fill.n++;
    await page.getByRole("textbox", { name, exact: true }).fill(value);
  };
  fill.n = 0;
  return fill;
}

test("from the first start to the first assets: at most 12 fields, no file edited", async () => {
  const page = await person();
  const fill = filler(page);
  await page.goto(stage.setup);
  await fill("Name", ADMIN.name);
  await fill("Password", ADMIN.password);
  await shot(page, "setup");
  await page.getByRole("button", { name: "Create the admin" }).click();
  await page.getByRole("link", { name: /Active Directory/ }).first().click();
  await fill("Domain", lab.LAB_DOMAIN);
  await fill("Name", "corp");
  await fill("Servername (host)", lab.LAB_IP);
  fill.n++;
  await page.getByRole("radio", { name: /Paste it/ }).check();
  await fill("PEM", lab.CA_PEM);
  await fill("Certificate name", lab.LAB_HOST);
  await fill("Admin username", lab.LAB_READER);
  await fill("Admin password", lab.READER_PW);
  await shot(page, "wizard-connect");
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await page.getByRole("heading", { name: "New connector" }).waitFor();
  await page.waitForURL(/\/scope/);
  await shot(page, "wizard-scope");
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await page.waitForURL(/\/create/);
  await page.getByRole("button", { name: /Test connector/ }).click();
  await page.getByText(/^(It works|All steps are fine)/).first().waitFor({ timeout: 60000 });
  await shot(page, "wizard-tested");
  await page.getByRole("button", { name: "Create asset connector" }).click();
  await page.waitForURL(/#\/(connectors|jobs|runs)/);
  const job = await until(async () => (await api(page, "GET", "/jobs?connector=corp&kind=sync")).json.items[0], "a first sync is started");
  await until(async () => (await api(page, "GET", `/jobs/${job.id}`)).json.state === "done", "the first sync ends");
  await go(page, "/assets");
  await until(async () => (await page.getByRole("row").count()) > 10, "assets are listed");
  await shot(page, "assets");
  check(fill.n <= 12, `${fill.n} fields were filled in`);
  equal(page.errors, [], "errors of the page");
  await page.context().close();
}, true); // whatever else is asked for

test("the setup URL is good once; there is no default password", async () => {
  const page = await person();
  await page.goto(stage.setup);
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  for (const [name, password] of [["admin", "admin"], ["admin", ""], ["root", "root"]]) {
    const answer = await page.evaluate(async (b) => (await fetch("/api/v1/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(b) })).status, { name, password });
    check(answer === 401 || answer === 400, `${name}/${password}: ${answer}`);
  }
  await page.context().close();
});
