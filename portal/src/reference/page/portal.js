// The page's beginning: words first, then the buttons, then the plugin.
import { find, loadWords } from "./view.js";
import { watch } from "./plugin.js";
import { run } from "./operation.js";

if (location.hash === "#verdict") {
  find("verdict")?.focus();
  history.replaceState(null, "", "/");
}

const buttons = document.querySelectorAll("button[data-purpose]");
if (buttons.length > 0) {
  await loadWords();
  for (const button of buttons) {
    const { purpose, format, holderSignature } = /** @type {HTMLElement} */ (button).dataset;
    button.addEventListener("click", () => run(/** @type {any} */ (purpose), String(format), holderSignature === "true"));
  }
  watch();
}
