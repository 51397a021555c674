// roles - what a viewer, an analyst and an operator may not do is neither offered nor done.
import { api, check, equal, go, shot, test } from "./lib.mjs";
import { loggedIn } from "./first.mjs";

const PASSWORD = "Correct-Horse-10";
const MAY_NOT = {
  viewer: [["POST", "/connectors/corp/sync", {}], ["GET", "/access/token?principal=x"], ["GET", "/assets/export?format=csv"], ["GET", "/users"], ["DELETE", "/connectors/corp?assets=remove"], ["GET", "/audit"]],
  analyst: [["POST", "/connectors/corp/sync", {}], ["POST", "/connectors/corp/enabled", { enabled: false }], ["GET", "/users"], ["GET", "/audit"], ["DELETE", "/connectors/corp?assets=keep"]],
  operator: [["GET", "/users"], ["POST", "/users", { name: "x", role: "admin", password: PASSWORD }], ["GET", "/audit"], ["POST", "/key/rotate"], ["GET", "/settings/oidc"]],
};

test("a viewer, an analyst, an operator: what they may not do is refused, and no button offers it", async () => {
  const admin = await loggedIn();
  for (const role of Object.keys(MAY_NOT)) equal((await api(admin, "POST", "/users", { name: role, role, password: PASSWORD })).status, 201, `user ${role}`);
  for (const [role, calls] of Object.entries(MAY_NOT)) {
    const page = await loggedIn(role, PASSWORD);
    for (const [method, path, body] of calls) equal((await api(page, method, path, body)).status, 403, `${role}: ${method} ${path}`);
    await go(page, "/connectors");
    await page.getByRole("heading", { name: "corp" }).waitFor();
    equal((await page.getByRole("button", { name: /Sync now/ }).count()) > 0, role === "operator", `${role} is offered Sync now`);
    equal((await page.getByRole("link", { name: "New connector" }).count()) > 0, role === "operator", `${role} is offered New connector`);
    if (role === "operator") {
      await go(page, "/connectors/new/connect?type=active_directory");
      await page.getByRole("textbox", { name: "Admin password", exact: true }).waitFor();
      equal(await page.getByRole("combobox", { name: /where it is/ }).count(), 0, "places of secrets that an operator is offered");
      const waysIn = page.getByRole("combobox", { name: "Sign-in", exact: true });
      equal(await waysIn.locator("option[value=kerberos_cache]").count(), 0, "an operator is offered the server's own tickets");
      await waysIn.selectOption("keytab");
      const keytab = page.getByRole("textbox", { name: "Keytab file", exact: true });
      await keytab.waitFor();
      equal(await keytab.isDisabled(), true, "an operator is offered to name a keytab");
      await page.getByText("Only an administrator may set it.").first().waitFor();
      await waysIn.selectOption("simple");
      await shot(page, "wizard-operator");
    }
    await go(page, "/settings/users");
    equal(await page.getByRole("button", { name: "New user" }).count(), 0, `${role} is offered New user`);
    await page.context().close();
  }
  equal((await api(admin, "GET", "/connectors/corp")).json.enabled, true, "nothing was done");
  await admin.context().close();
});
