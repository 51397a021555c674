// runs - a run is watched, the page loaded again, the server started again under it; and in the end everything is there.
import { api, ask, check, equal, go, shot, stage, test, until } from "./lib.mjs";
import { loggedIn } from "./first.mjs";

async function makeTenant(page) {
  const { client_secret, type, ...settings } = stage.tenant.settings;
  const made = await api(page, "POST", "/connectors", { name: "cloud", type, settings, secrets: { client_secret: stage.tenant.secret }, enabled: true });
  equal(made.status, 201, `the connector is made: ${JSON.stringify(made.json)}`);
}

const newest = async (page) => (await api(page, "GET", "/jobs?connector=cloud&kind=sync&limit=1")).json.items[0];

test("a run goes on before one's eyes over a reload and over a restart of the server", async () => {
  const page = await loggedIn();
  await ask("knobs", { latency_ms: 1000 });
  await makeTenant(page);
  const job = await until(() => newest(page), "the first run begins by itself");
  await go(page, `/jobs/${job.id}`);
  await page.getByText("Running", { exact: true }).first().waitFor();
  await page.getByRole("list", { name: "Phases" }).waitFor();
  await until(async () => /\d/.test(await page.locator("dl.numbers").innerText().catch(() => "")), "numbers are told");
  await shot(page, "run");
  await page.reload();
  await page.getByText("Running", { exact: true }).first().waitFor();
  await until(async () => (await page.locator("#log li, .log li").count()) > 0 || (await page.getByRole("list", { name: "Phases" }).locator("li.done").count()) > 0, "after the reload the run is told from its beginning");
  await ask("restart", "SIGTERM");
  await page.getByText("Interrupted: the server stopped").first().waitFor({ timeout: 60000 });
  await ask("knobs", { latency_ms: 0 });
  const again = await until(async () => { const j = await newest(page); return j.id !== job.id && j; }, "what was interrupted is begun again");
  const done = await until(async () => { const j = (await api(page, "GET", `/jobs/${again.id}`)).json; return j.state === "done" && j; }, "it ends", 90);
  await go(page, `/jobs/${done.id}`);
  await page.getByText("Done", { exact: true }).first().waitFor();
  await page.getByRole("link", { name: "See the result" }).click();
  await page.waitForURL(/#\/runs\//);
  await shot(page, "run-result");
  const users = await until(async () => (await api(page, "GET", "/assets/facets?source=cloud")).json.kind?.user, "its assets are listed");
  check(users >= 300, `${users} users`);
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

test("a run is cancelled, and the page says no more than that", async () => {
  const page = await loggedIn();
  await ask("knobs", { latency_ms: 1000 });
  const { job } = (await api(page, "POST", "/connectors/cloud/sync", { full: true })).json;
  await go(page, `/jobs/${job}`);
  await page.getByText("Running", { exact: true }).first().waitFor();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByText("Cancelled", { exact: true }).first().waitFor({ timeout: 60000 });
  equal(await page.getByText("cut short").count(), 0, "errors that are told");
  await ask("knobs", { latency_ms: 0 });
  await until(async () => (await api(page, "GET", `/jobs/${job}`)).json.state === "cancelled", "it is over");
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

test("connectors as tiles and as a table", async () => {
  const page = await loggedIn();
  await go(page, "/connectors");
  await page.getByRole("heading", { name: "corp" }).waitFor();
  await shot(page, "connectors");
  await page.getByRole("button", { name: "Table" }).click();
  await page.getByRole("table").waitFor();
  await page.getByRole("button", { name: "Table" }).click();
  await page.getByRole("table").waitFor({ state: "hidden" });
  equal((await api(page, "GET", "/connectors")).json.items.map((c) => c.name), ["cloud", "corp"], "both are there");
  await page.context().close();
});
