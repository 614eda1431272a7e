// @ts-check
// The current state, its address, and the listeners to its changes.

import { addressOf, reduce, stateAt, stepsBetween } from "./state.js";

/** @typedef {import("./state.js").State} State */

const DOUBLE_CLICK = 500; // milliseconds; the selections of heads within this time are one step of Back

/** @type {State} */
let current;
/** @type {((state: State) => void)[]} */
const listeners = [];
let lastSelection = -Infinity;

/** Return the current state. */
export const now = () => current;

/** Call the listener with the state whenever it changes. */
export const listen = (/** @type {(state: State) => void} */ listener) => listeners.push(listener);

/** Take the state from the address, now and whenever the address changes. */
export function startStore(/** @type {string[]} */ views) {
  const read = () => {
    current = stateAt(location.hash.slice(1), views);
    writeAddress(false);
  };
  read();
  window.addEventListener("hashchange", () => {
    read();
    tell();
  });
}

/** Change the state, then the address and the page. */
export function change(/** @type {Partial<State>} */ changes) {
  const before = current;
  current = reduce(current, changes);
  const steps = stepsBetween(before, current);
  const isSelection = steps.length === 1 && steps[0] === "heads";
  writeAddress(steps.length > 0 && !(isSelection && performance.now() - lastSelection < DOUBLE_CLICK));
  if (steps.length) lastSelection = isSelection ? performance.now() : -Infinity;
  tell();
}

/** Have the whole page drawn again, for another theme or width. */
export const drawAgain = () => change({ screen: current.screen + 1 });

function tell() {
  for (const listener of listeners) listener(current);
}

function writeAddress(/** @type {boolean} */ isNew) {
  const hash = addressOf(current);
  if (hash === location.hash.slice(1)) return;
  const address = hash ? `#${hash}` : location.pathname + location.search;
  if (isNew) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}
