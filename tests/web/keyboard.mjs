// keyboard - twelve tasks without a mouse: only page.keyboard is used, and what is focused must be seen to be.
import { api, check, equal, go, hold, lab, stage, test, until } from "./lib.mjs";
import { ADMIN } from "./first.mjs";
import { person } from "./lib.mjs";

const focused = (page) => page.evaluate(() => { const e = document.activeElement; return e && e !== document.body ? `${e.tagName} ${e.getAttribute("aria-label") ?? ""} ${e.textContent?.trim().slice(0, 60) ?? ""}` : ""; });

/** Tab until something of this text or label is focused. */
async function tabTo(page, what, key = "Tab", most = 120) {
  for (let i = 0; i < most; i++) {
    if (what.test(await focused(page))) {
      const seen = await page.evaluate(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1 || s.boxShadow !== "none"; });
      check(seen, `the focus on "${await focused(page)}" is not visible`);
      return;
    }
    await page.keyboard.press(key);
  }
  throw new Error(`no way by ${key} to ${what}; the last was "${await focused(page)}"`);
}

const keys = async (page, ...list) => { for (const k of list) await page.keyboard.press(k); };

test("twelve tasks by keyboard alone", async () => {
  const page = await person();
  let answer; // lets one go that is held back
  const task = async (name, run) => { try { await run(); } catch (e) { throw new Error(`${name}: ${e.message}`); } };
  await task("1 log in", async () => {
    await page.goto(stage.url);
    await page.getByRole("textbox", { name: "Name", exact: true }).waitFor();
    await tabTo(page, /^INPUT/);
    await page.keyboard.type(ADMIN.name);
    await page.keyboard.press("Tab");
    await page.keyboard.type(ADMIN.password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  });
  await task("2 skip the navigation", async () => {
    await page.reload();
    await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
    await tabTo(page, /skip/i);
    await page.keyboard.press("Enter");
    check(await page.evaluate(() => document.activeElement?.closest("main") !== null), "the focus is not in the page's main part");
  });
  await task("3 search an asset", async () => {
    await keys(page, "g", "a");
    await page.getByRole("heading", { name: "Assets", level: 1 }).waitFor();
    answer = await hold(page, /\/assets\?.*q=schema(\+|%20)admins/);
    await page.keyboard.press("/");
    await page.keyboard.type("schema admins");
    await page.waitForURL(/q=schema\+admins/);
    await page.locator('[aria-label="Assets"][aria-busy="true"]').waitFor();
  });
  await task("4 open it with j and Enter", async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("j"); // before the answer is there: the row of the answer is meant, not one that is about to go
    await answer();
    await until(async () => /^A .*Schema Admins/.test(await focused(page)), "the found row has the focus");
    await page.keyboard.press("Enter");
    await page.waitForURL(/#\/assets\/corp\//);
    await page.getByRole("heading", { name: /Schema Admins/, level: 1 }).waitFor();
  });
  await task("5 look at its members", async () => {
    await tabTo(page, /^A .*Members/);
    await page.keyboard.press("Enter");
    await page.waitForURL(/tab=members/);
    await page.getByRole("row").nth(1).waitFor();
  });
  await task("6 filter by a facet", async () => {
    await keys(page, "g", "a");
    await page.getByRole("heading", { name: "Assets", level: 1 }).waitFor();
    await page.getByRole("checkbox", { name: /^Computers/ }).waitFor();
    for (let i = 0; i < 80 && !(await page.getByRole("checkbox", { name: /^Computers/ }).evaluate((e) => e === document.activeElement)); i++) await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.waitForURL(/kind=computer/);
  });
  await task("7 export", async () => {
    await page.keyboard.press("e");
    await page.getByRole("dialog").waitFor();
    check(await page.evaluate(() => document.activeElement?.closest("dialog,[role=dialog]") !== null), "the focus is not in the dialog");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  });
  await task("8 test a connector", async () => {
    await keys(page, "g", "c");
    await page.getByRole("heading", { name: "corp" }).waitFor();
    await tabTo(page, /^A .*Test/);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/test/);
    await page.getByText(/^(It works|All steps are fine)/).first().waitFor({ timeout: 60000 });
  });
  await task("9 ask who can", async () => {
    await keys(page, "g", "x");
    await page.getByRole("heading", { name: "Access explorer" }).waitFor();
    await page.getByRole("combobox", { name: "On which object" }).waitFor();
    for (let i = 0; i < 60 && !(await page.getByRole("combobox", { name: "On which object" }).evaluate((e) => e === document.activeElement)); i++) await page.keyboard.press("Tab");
    await page.keyboard.type("domain admins");
    await page.getByRole("option", { name: /Domain Admins/ }).first().waitFor();
    await keys(page, "ArrowDown", "Enter");
    await page.waitForURL(/target=/);
  });
  await task("10 read the keys, close them", async () => {
    await keys(page, "Escape", "Escape", "g", "h"); // out of the field: keys are text there
    await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  });
  await task("11 change the theme", async () => {
    const before = await page.evaluate(() => document.documentElement.className);
    await tabTo(page, /theme/i);
    await page.keyboard.press("Enter");
    await page.waitForTimeout(200);
    if (await page.getByRole("menu").count()) await keys(page, "ArrowDown", "Enter");
    await until(async () => (await page.evaluate(() => document.documentElement.className)) !== before, "the theme is another one", 5);
  });
  await task("12 log out", async () => {
    await tabTo(page, /log out/i);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Log in" }).waitFor();
  });
  await page.context().close();
});
