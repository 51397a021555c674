// main - the cases in the order in which somebody lives through them: each file leaves a server that the next one can use.
import { main } from "./lib.mjs";
import "./first.mjs";
import "./wizard.mjs";
import "./runs.mjs";
import "./edits.mjs";
import "./assets.mjs";
import "./access.mjs";
import "./alerts.mjs";
import "./roles.mjs";
import "./keyboard.mjs";
import "./hostile.mjs";
import "./pages.mjs";

await main(process.argv[2]);
