// One operation: the portal's question, the plugin's proof, the portal's verdict.
import { confirm } from "./page-api.js";
import { Refusal, announce, at, element, has, post, say } from "./view.js";
import { mayBegin, pointAt, setBusy } from "./plugin.js";

let running = false;

/**
 * Runs it and shows what comes of it.
 * @param {"confirm_identity" | "sign_in"} purpose
 * @param {string} format
 * @param {boolean} holderSignature
 */
export async function run(purpose, format, holderSignature) {
  if (running) return;
  begin();
  try {
    if (!(await mayBegin())) {
      end();
      pointAt();
      return;
    }
    await ask(purpose, format, holderSignature);
    // The page after it says the rest: it is the portal's own record of what happened.
    history.replaceState(null, "", purpose === "confirm_identity" ? "/#verdict" : "/");
    location.reload();
  } catch (error) {
    end();
    fail(error, format);
  }
}

/**
 * @param {"confirm_identity" | "sign_in"} purpose
 * @param {string} format
 * @param {boolean} holderSignature
 */
async function ask(purpose, format, holderSignature) {
  const controller = new AbortController();
  const { signal } = controller;
  at("cancel").onclick = () => controller.abort();
  at("cancel").hidden = false;
  at("operation").hidden = false;
  setBusy(true);
  progress("asking");
  at("operation-title").focus();
  const { challenge } = await post("/account/challenge", { purpose }, signal);
  const card = holderSignature ? { holderSignature } : {};
  const { proof } = await confirm({ challenge, format, purpose, ...card, signal, onProgress: progress });
  at("cancel").hidden = true;
  progress("checking");
  await post("/account/proof", { challenge, proof });
  progress("done");
}

/** @param {string} stage */
function progress(stage) {
  if (!has(`progress.${stage}`)) return;
  at("operation").dataset.stage = stage;
  at("progress").textContent = say(`progress.${stage}`);
  announce(say(`progress.${stage}`));
}

function begin() {
  running = true;
  at("outcome").hidden = true;
  for (const button of buttons()) button.setAttribute("aria-disabled", "true");
}

function end() {
  running = false;
  at("operation").hidden = true;
  for (const button of buttons()) button.removeAttribute("aria-disabled");
  setBusy(false);
}

const buttons = () => document.querySelectorAll("button[data-purpose]");

/**
 * @param {unknown} error
 * @param {string} format
 */
function fail(error, format) {
  const { code, texts } = explain(error, format);
  const support = element("p", say("outcome.code", { code }));
  support.className = "small";
  at("outcome").dataset.code = code;
  at("outcome-text").replaceChildren(...texts, support);
  at("outcome").hidden = false;
  at("outcome-title").focus();
  announce(texts.map((text) => text.textContent).join(" "));
}

/**
 * What happened and what helps, in words.
 * @param {unknown} error
 * @param {string} format
 * @returns {{ code: string, texts: HTMLElement[] }}
 */
function explain(error, format) {
  if (error instanceof Refusal) return { code: error.code, texts: refusal(error) };
  const { code, triesLeft } = /** @type {{ code?: unknown, triesLeft?: number }} */ (error);
  const name = error instanceof DOMException ? "aborted" : typeof code === "string" ? code : "network";
  const keys = [`error.${format}.${name}`, `error.${name}`];
  const key = keys.find(has) ?? "error.unknown";
  const texts = [element("p", say(key))];
  if (triesLeft !== undefined) texts.push(element("p", say("outcome.tries", { tries: triesLeft })));
  return { code: name, texts };
}

/** @param {Refusal} error */
function refusal(error) {
  const texts = [element("p", error.message)];
  if (error.mismatches.length > 0) {
    const items = error.mismatches.map(({ field, how }) =>
      element("li", say(`how.${how}`, { field: say(`field.${field}`) })),
    );
    texts.push(element("p", say("mismatch.lead")), element("ul", ...items));
  }
  if (error.code === "sign_in_first" || error.code === "already_confirmed") {
    const link = element("a", say("home.link"));
    link.setAttribute("href", "/");
    texts.push(element("p", link));
  }
  return texts;
}
