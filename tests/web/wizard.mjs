// wizard - New connector with wrong settings: what can be seen without asking anybody is named beside the field when it is left; the rest by Test connector.
import { check, equal, go, lab, shot, stage, test } from "./lib.mjs";
import { loggedIn } from "./first.mjs";

const GOOD = { Domain: lab.LAB_DOMAIN, Name: "second", "Servername (host)": lab.LAB_IP, PEM: lab.CA_PEM, "Certificate name": lab.LAB_HOST, "Admin username": lab.LAB_READER, "Admin password": lab.READER_PW };
const TENANT = { Name: "cloud", "Tenant ID": stage.tenant.settings.tenant_id, "Client ID": stage.tenant.settings.client_id, "Client secret": stage.tenant.secret };

async function fillIn(page, type, values) {
  await go(page, `/connectors/new/connect?type=${type}`);
  await page.getByRole("button", { name: "Next", exact: true }).waitFor();
  if (values.PEM !== undefined) await page.getByRole("radio", { name: /Paste it/ }).check();
  for (const [name, value] of Object.entries(values)) {
    const field = page.getByRole("textbox", { name, exact: true });
    if (!(await field.isVisible())) await page.getByText("More settings").click();
    await field.fill(value);
  }
  await page.locator("h1").click(); // the last field is left
}

// field, what is written into it, what is said
const SEEN_AT_ONCE = [
  ["active_directory", "Servername (host)", "192.0.2.1", /rarely contains an IP/, { "Certificate name": "" }],
  ["active_directory", "Servername (host)", "dc one", /host|space|name/i],
  ["active_directory", "Servername (host)", "", /missing|needed|required/i],
  ["active_directory", "Domain", "corp..example", /domain/i],
  ["active_directory", "Name", "", /letters, digits/],
  ["active_directory", "Admin username", "CORP\\alice", /works across renames/],
  ["active_directory", "Admin password", "", /missing|needed|required/i],
  ["active_directory", "Admin password", "file:/etc/corp.pw", /looks like a reference/],
  ["active_directory", "PEM", "hello", /no certificate/],
  ["active_directory", "Port", "389", /389 speaks LDAP without TLS/],
  ["active_directory", "Port", "99999", /whole number/],
  ["active_directory", "Failover hosts", "dc2:x", /port|host/i],
  ["entra_id", "Tenant ID", "not a tenant", /tenant/i],
  ["entra_id", "Client ID", "x", /not a GUID/],
  ["entra_id", "Client secret", "22222222-2222-2222-2222-222222222225", /secret.s ID|shows the Value/i],
];

test(`wizard: ${SEEN_AT_ONCE.length} wrong settings are named beside their field when it is left`, async () => {
  const page = await loggedIn();
  const bad = [];
  for (const [type, field, value, said, also] of SEEN_AT_ONCE) {
    try {
      await fillIn(page, type, { ...(type === "entra_id" ? TENANT : GOOD), ...also, [field]: value });
      if (value === "") await page.getByRole("button", { name: "Next", exact: true }).click();
      const input = page.getByRole("textbox", { name: field, exact: true });
      const described = async () => {
        const ids = ((await input.getAttribute("aria-describedby")) ?? "") + " " + ((await input.getAttribute("aria-errormessage")) ?? "");
        let text = "";
        for (const id of ids.split(" ").filter(Boolean)) text += (await page.locator(`[id="${id}"]`).textContent().catch(() => "")) + " ";
        return text;
      };
      for (let i = 0; i < 50 && !said.test(await described()); i++) await page.waitForTimeout(100);
      check(said.test(await described()), `says "${await described()}"`);
    } catch (e) {
      bad.push(`${field} = ${JSON.stringify(value)}: ${e.message.split("\n")[0]}`);
    }
  }
  await shot(page, "wizard-wrong");
  equal(bad, [], "not named");
  equal(page.errors, [], "errors of the page");
  await page.context().close();
});

// what is wrong, which step says it, in which words
const SEEN_BY_TEST = [
  [{ "Admin password": "Wrong-Passw0rd.1" }, "bind", /password|credential/i],
  [{ "Admin username": "nobody@" + lab.LAB_DOMAIN }, "bind", /user|credential|password/i],
  [{ PEM: lab.OTHER_CA }, "tls", /authority|unknown|issuer|trust/i],
  [{ "Certificate name": "dc9." + lab.LAB_DOMAIN }, "tls", /name/i],
  [{ "Servername (host)": "127.0.0.1", Port: "9" }, "tcp", /refused/i],
  [{ "Servername (host)": "no-such-host.invalid" }, "dns", /no such|not found|does not exist|resolve|no DNS server answered/i],
  [{ Domain: "other.example" }, "root_dse", /domain|naming context/i],
];

test(`wizard: Test connector names each of ${SEEN_BY_TEST.length} faults at its step, with a fix`, async () => {
  const page = await loggedIn();
  const bad = [];
  for (const [wrong, step, said] of SEEN_BY_TEST) {
    try {
      await fillIn(page, "active_directory", { ...GOOD, ...wrong });
      await page.getByRole("button", { name: "Next", exact: true }).click();
      await page.waitForURL(/\/scope/);
      await page.getByRole("button", { name: "Next", exact: true }).click();
      await page.waitForURL(/\/create/);
      await page.getByRole("button", { name: /Test connector/ }).click();
      const failed = page.locator('li[data-verdict="fail"]').first();
      await failed.waitFor({ timeout: 60000 });
      const text = await failed.innerText();
      equal(await failed.getAttribute("data-step"), step, `the step of "${text}"`);
      check(said.test(text), `${step} says "${text.replace(/\s+/g, " ")}"`);
      check(/what to do/i.test(text), `no fix: "${text}"`);
    } catch (e) {
      bad.push(`${JSON.stringify(wrong).slice(0, 80)}: ${e.message.split("\n")[0]}`);
    }
  }
  await shot(page, "wizard-test-failed");
  equal(bad, [], "not named");
  await page.context().close();
});
