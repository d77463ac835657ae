// The help page: static, but for the words. It talks to nobody.

import { at, translate } from "./page.js";

translate();
document.title = at("title").textContent ?? "";
// The browser looked for the anchor before there were words to scroll by.
document.getElementById(location.hash.slice(1))?.scrollIntoView();
