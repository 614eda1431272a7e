// The state of the page. It is kept in the location's hash, so that a link restores it.

const FILTERS = [
  { name: "all", title: "all" },
  { name: "aa", title: "A → A" },
  { name: "ab", title: "A → B" },
  { name: "ba", title: "B → A" },
  { name: "bb", title: "B → B" },
];

const everyHead = () => new Set(Array.from({ length: about.heads }, (_, head) => head));

function startingState() {
  const { head, ...start } = about.start;
  return {
    view: "heads",
    text: 0,
    layer: 0,
    heads: head === undefined ? everyHead() : new Set([head]),
    token: null, // the token selected by a click
    filter: "all",
    least: 0, // minimum weight; lower weights are not shown
    statistic: "entropy",
    through: about.layers - 1, // the last layer of a rollout
    find: "",
    ...start,
  };
}

const state = startingState();
const pointed = { side: "query", position: null }; // the token under the pointer
const listeners = [];

// The browser's Back undoes only changes to these. With others, such as each move of a slider, it would take too many
// steps.
const STEPS = ["view", "text", "layer", "through", "heads"];

// Change the state, update the hash and redraw.
function look(changes) {
  const before = STEPS.map(writtenOf).join();
  if ("text" in changes && changes.text !== state.text) changes = { token: null, ...changes };
  Object.assign(state, changes);
  pointed.position = null;
  writeHash(STEPS.map(writtenOf).join() !== before);
  for (const listener of listeners) listener();
}

const currentText = () => textAt(state.text);
const soleHead = () => Math.min(...(state.heads.size ? state.heads : [0]));
const chosenHeads = () => [...state.heads].sort((a, b) => a - b);

// Return the positions on each side that pass the sentence filter.
function shownPositions(text) {
  const positions = text.tokens.map((_, position) => position);
  if (state.filter === "all" || !text.sentences.length) return { queries: positions, keys: positions };
  const of = (letter) => positions.filter((position) => text.sentences[position] === (letter === "b" ? 1 : 0));
  return { queries: of(state.filter[0]), keys: of(state.filter[1]) };
}

const writtenOf = (name) => (name === "heads" ? chosenHeads().join(",") : state[name]);

function writeHash(isStep = false) {
  const start = startingState();
  const found = new URLSearchParams();
  for (const name of Object.keys(start)) {
    const value = writtenOf(name);
    const usual = name === "heads" ? [...start.heads].join(",") : start[name];
    if (value !== usual) found.set(name, value);
  }
  const hash = found.toString();
  if (hash === location.hash.slice(1)) return;
  const address = hash ? `#${hash}` : location.pathname + location.search;
  if (isStep) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

// Read the state from the address; drop values that are not valid for this page.
function readHash() {
  const asked = new URLSearchParams(location.hash.slice(1));
  Object.assign(state, startingState());
  state.text = wholeNumber(asked.get("text"), textCount) ?? 0;
  const { size, sentences } = currentText();
  state.layer = wholeNumber(asked.get("layer"), about.layers) ?? state.layer;
  state.through = wholeNumber(asked.get("through"), about.layers) ?? state.through;
  state.token = wholeNumber(asked.get("token"), size);
  const heads = headsNamed(asked.get("heads") ?? "");
  if (heads.length || asked.get("heads") === "") state.heads = new Set(heads);
  if (views.some((view) => view.name === asked.get("view"))) state.view = asked.get("view");
  if (sentences.length && FILTERS.some(({ name }) => name === asked.get("filter"))) state.filter = asked.get("filter");
  if (about.statistics.includes(asked.get("statistic"))) state.statistic = asked.get("statistic");
  const least = Number(asked.get("least"));
  if (least > 0 && least <= 1) state.least = least;
  state.find = asked.get("find") ?? state.find;
  writeHash();
}

function headsNamed(list) {
  return list.split(",").map((part) => wholeNumber(part, about.heads)).filter((head) => head !== null);
}

function wholeNumber(written, end) {
  return written !== null && /^\d+$/.test(written) && Number(written) < end ? Number(written) : null;
}
