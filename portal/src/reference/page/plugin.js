// What is there on the person's computer, looked at again and again until nothing is missing.
import { status } from "./page-api.js";
import { announce, at, has, say } from "./view.js";

/** Milliseconds between two looks while something is missing, and once nothing is. */
const WHILE_MISSING = 3_000;
const ONCE_READY = 20_000;

/** Where the help page says what to do. */
const HELP = {
  no_plugin: "plugin",
  old_plugin: "update",
  no_agent: "agent",
  old_agent: "update",
  not_paired: "pairing",
  no_token: "token",
  service_down: "service",
};

/** The person's own doing is noticed by looking again; the others need the page loaded anew, or a click on a button. */
const NOTICED = new Set(["no_plugin", "no_agent", "old_agent", "no_token", "service_down"]);

/** An operation may begin: it pairs, and it waits for a token. */
const POSSIBLE = new Set(["ready", "not_paired", "no_token"]);

let shown = "checking";
let busy = false;
/** @type {Promise<void> | undefined} */
let looking;
/** @type {number | undefined} */
let timer;

/** Begins to look, and never stops. */
export function watch() {
  at("plugin").hidden = false;
  at("again").addEventListener("click", () => look());
  document.addEventListener("visibilitychange", () => look());
  window.addEventListener("focus", () => look());
  window.addEventListener("pageshow", () => look());
  look();
}

/** While an operation goes on nothing is looked at: its own progress says more. @param {boolean} now */
export function setBusy(now) {
  busy = now;
  at("plugin").hidden = busy;
  if (!busy) look();
}

/** Whether an operation may begin now. Where the plugin has not been seen yet, this waits for it. */
export async function mayBegin() {
  if (!POSSIBLE.has(shown)) await look();
  return POSSIBLE.has(shown);
}

/** Takes the person to what is missing. */
export function pointAt() {
  at("state-title").focus();
  at("plugin").scrollIntoView({ block: "nearest" });
  announce(`${at("state-title").textContent} ${at("state-text").textContent}`);
}

/** Looks once, now. */
export function look() {
  window.clearTimeout(timer);
  if (busy || document.visibilityState !== "visible") return Promise.resolve();
  looking ??= state()
    .then(show)
    .finally(() => {
      looking = undefined;
      window.clearTimeout(timer);
      timer = window.setTimeout(look, shown === "ready" ? ONCE_READY : WHILE_MISSING);
    });
  return looking;
}

/** The state's name, or the code of what went wrong. */
async function state() {
  try {
    return (await status()).state;
  } catch (error) {
    return /** @type {{ code?: string }} */ (error).code ?? "internal";
  }
}

/** @param {string} state */
function show(state) {
  if (state === shown) return;
  shown = state;
  const known = has(`state.${state}.title`);
  const error = has(`error.${state}`) ? `error.${state}` : "error.unknown";
  const title = say(known ? `state.${state}.title` : "outcome.title");
  const text = say(known ? `state.${state}.text` : error);
  const anchor = Object.hasOwn(HELP, state) ? HELP[/** @type {keyof typeof HELP} */ (state)] : "";
  const panel = at("plugin");
  panel.dataset.state = state;
  panel.dataset.use = state === "ready" ? "ready" : POSSIBLE.has(state) ? "possible" : "impossible";
  at("state-title").textContent = title;
  at("state-text").textContent = text;
  at("state-more").hidden = state === "ready";
  at("state-waiting").hidden = !NOTICED.has(state);
  at("state-link").hidden = anchor === "";
  at("state-link").setAttribute("href", `/help#${anchor}`);
  announce(`${title}. ${text}`);
}
