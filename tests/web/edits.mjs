// edits - a stored connector is edited: over changes made elsewhere, from one way to sign in to another; nothing typed outlives its user.
import { api, check, equal, go, stage, test, until } from "./lib.mjs";
import { ADMIN, loggedIn } from "./first.mjs";

const PASSWORD = "Correct-Horse-11";
const connector = async (page, name) => (await api(page, "GET", `/connectors/${name}`)).json;
const enable = async (page, name, enabled) => equal((await api(page, "POST", `/connectors/${name}/enabled`, { enabled })).status, 200, `${name} ${enabled}`);
const next = (page) => page.getByRole("button", { name: "Next", exact: true });

test("an edit is of the connector as it is now, and can be saved", async () => {
  const page = await loggedIn();
  await go(page, "/connectors/corp/edit/connect");
  await page.getByRole("textbox", { name: "Servername (host)", exact: true }).waitFor();
  await go(page, "/connectors");
  await page.getByRole("heading", { name: "corp" }).waitFor();
  await enable(page, "corp", false);
  await enable(page, "corp", true);
  await go(page, "/connectors/corp/edit/connect");
  await page.getByRole("textbox", { name: "Servername (host)", exact: true }).waitFor();
  equal(await page.getByText("This was begun before").count(), 0, "drafts of what nobody has changed");
  await next(page).click();
  await page.waitForURL(/\/scope/);
  await next(page).click();
  await page.waitForURL(/\/create/);
  const { version } = await connector(page, "corp");
  await page.getByRole("button", { name: /^Save/ }).first().click();
  await until(async () => (await connector(page, "corp")).version > version, "it is saved");
  equal(await page.getByText("Somebody else has changed").count(), 0, "conflicts");
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

test("a stored secret that is not needed is removed", async () => {
  const page = await loggedIn();
  const { client_secret, type, ...settings } = stage.tenant.settings;
  const made = await api(page, "POST", "/connectors", { name: "spare", type, settings, secrets: { client_secret: stage.tenant.secret }, enabled: false });
  equal(made.status, 201, JSON.stringify(made.json));
  await go(page, "/connectors/spare/edit/connect");
  await page.getByRole("button", { name: "Remove", exact: true }).first().click();
  const [request] = await Promise.all([page.waitForRequest((r) => r.url().endsWith("/connectors/judge")), next(page).click()]);
  equal(request.postDataJSON().secrets.client_secret, "", "what is sent of the secret");
  equal((await api(page, "DELETE", "/connectors/spare?assets=remove")).status, 204, "it is deleted");
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

test("what one has typed is not the next one's, who logs in at the same window", async () => {
  const page = await loggedIn();
  equal((await api(page, "POST", "/users", { name: "second", role: "operator", password: PASSWORD })).status, 201, "user second");
  await go(page, "/connectors/corp/edit/connect");
  await page.getByRole("button", { name: "Enter another" }).first().click();
  const secret = page.getByRole("textbox", { name: "Admin password", exact: true });
  await secret.fill("typed by the first");
  await page.getByRole("button", { name: "Log out" }).click();
  for (const [name, password] of [["second", PASSWORD], [ADMIN.name, ADMIN.password]]) {
    await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
    await page.getByRole("textbox", { name: "Password", exact: true }).fill(password);
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
    await go(page, "/connectors/corp/edit/connect");
    await page.getByRole("button", { name: "Enter another" }).first().waitFor();
    equal(await secret.count(), 0, `what ${name} is shown`);
    await page.getByRole("button", { name: "Log out" }).click();
  }
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

test("a token that never ends is made; beside the dialog that shows it once nothing is lost", async () => {
  const page = await loggedIn();
  await go(page, "/settings/tokens");
  await page.getByRole("button", { name: "New token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("for ever");
  await dialog.getByRole("combobox", { name: "Expires", exact: true }).selectOption("0");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter"); // twice: one token
  await dialog.getByText("it is not shown again").waitFor();
  const box = await dialog.getByText(/^rc_/).first().boundingBox();
  await page.mouse.move(box.x + 4, box.y + 4);
  await page.mouse.down(); // the text is marked, and the button let go beside the dialog
  await page.mouse.move(5, 5);
  await page.mouse.up();
  check(await dialog.isVisible(), "the dialog is closed by a text that is marked");
  const mine = (await api(page, "GET", "/tokens")).json.items.filter((t) => t.name === "for ever");
  equal(mine.map((t) => t.expires), [null], "tokens");
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});
