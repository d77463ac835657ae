// The page's beginning: the buttons, their words, then the plugin.
import { find, loadWords } from "./view.js";
import { watch } from "./plugin.js";
import { run } from "./operation.js";

if (location.hash === "#verdict") {
  find("verdict")?.focus();
  history.replaceState(null, "", "/");
}

const buttons = document.querySelectorAll("button[data-purpose]");
if (buttons.length > 0) {
  const words = loadWords();
  for (const button of buttons) {
    const { purpose, format, holderSignature } = /** @type {HTMLElement} */ (button).dataset;
    // Who presses before the words are there is not to press again.
    button.addEventListener("click", async () => {
      await words;
      await run(/** @type {any} */ (purpose), String(format), holderSignature === "true");
    });
  }
  await words;
  watch();
}
