// The explorer's page: takes its content out of the document, and works with it.
import { openExplorer } from "./explorer.js";
import { takePayload } from "./payload.js";

/** For the browser's console: what is clicked, and the numbers behind the maps. */
globalThis.explorer = openExplorer(takePayload());
globalThis.explorer.ready.then(() => document.documentElement.dataset.ready = "true");
