// The pairing window. The digits are shown here and in the agent's own window,
// and nowhere else; the person agrees in both. Closing this window cancels.

import { at, read, translate, write } from "../popup/page.js";
import { say } from "../popup/words.js";
import { ended, view } from "./view.js";

/** @typedef {import("../types").PairState} PairState */

/** @type {PairState | null} */
let message = null;
/** @type {chrome.runtime.Port | undefined} */
let port;

/** Begins an attempt. If the worker stops in the middle of one, its numbers are gone: that is an end, too. */
function start() {
  const opened = chrome.runtime.connect({ name: "pair" });
  port = opened;
  message = null;
  opened.onMessage.addListener((/** @type {PairState} */ told) => {
    message = told;
    draw();
  });
  opened.onDisconnect.addListener(() => {
    if (port !== opened) return;
    port = undefined;
    if (ended(message)) return;
    message = { stage: "failed", error: { code: "interrupted", message: "", retryable: true } };
    draw();
  });
  opened.postMessage({ do: "start" });
  draw();
}

function draw() {
  const shown = view(message);
  at("title").className = `sign ${shown.tone}`;
  write(at("title"), shown.title);
  write(at("text"), shown.text);
  write(at("agree"), shown.agree);
  write(at("remedy"), shown.remedy);
  drawDigits(shown.digits);
  at("note").hidden = !shown.note;
  for (const button of /** @type {const} */ (["again", "same", "cancel", "close"])) {
    at(button).hidden = !shown.buttons.includes(button);
  }
  document.title = `${read(shown.title)} – eid-agent`;
  if (ended(message)) at(shown.buttons[0] ?? "close").focus();
}

/** @param {string[]} digits */
function drawDigits(digits) {
  at("digits").hidden = digits.length === 0;
  const spoken = digits.map((group) => [...group].join(" ")).join(", ");
  write(at("digits-read"), spoken);
  at("digits").querySelectorAll(".group").forEach((group, index) => write(group, digits[index]));
}

translate();
start();

at("again").addEventListener("click", () => {
  port?.disconnect();
  start();
  at("title").focus();
});
at("same").addEventListener("click", () => {
  port?.postMessage({ do: "agree" });
  at("title").focus();
});
at("cancel").addEventListener("click", () => {
  port?.postMessage({ do: "cancel" });
  window.close();
});
at("close").addEventListener("click", () => window.close());
