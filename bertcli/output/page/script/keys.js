// The keyboard shortcuts. They do everything that the pointer can do.

const KEY_ACTIONS = {
  ArrowLeft: () => stepCell(0, -1) || stepLayer(-1),
  ArrowRight: () => stepCell(0, 1) || stepLayer(1),
  ArrowUp: () => stepCell(-1, 0) || stepToken(-1),
  ArrowDown: () => stepCell(1, 0) || stepToken(1),
  "[": () => stepHead(-1),
  "]": () => stepHead(1),
  a: () => look({ heads: state.heads.size === about.heads ? new Set() : everyHead() }),
  "-": () => stepLeast(-1),
  "+": () => stepLeast(1),
  "=": () => stepLeast(1),
  s: () => stepFilter(),
  t: () => stepText(1),
  T: () => stepText(-1),
  d: () => toggleTheme(),
  "/": () => finder.input.focus(),
  "?": () => help.open(),
  Escape: () => look({ token: null, find: "" }),
};

function heedKeys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || help.dialog.open) return;
  if (event.target.closest("input, select, textarea")) return;
  const number = Number(event.key);
  const action = number >= 1 && number <= views.length ? () => look({ view: views[number - 1].name }) : KEY_ACTIONS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

const within = (number, end) => Math.min(end - 1, Math.max(0, number));

function stepLayer(by) {
  const name = state.view === "rollout" ? "through" : "layer";
  look({ [name]: within(state[name] + by, about.layers) });
}

function stepHead(by) {
  const next = state.heads.size === 1 ? (soleHead() + by + about.heads) % about.heads : by > 0 ? 0 : about.heads - 1;
  look({ heads: new Set([next]) });
}

function stepToken(by) {
  const { queries } = shownPositions(currentText());
  const place = queries.indexOf(state.token);
  const next = place < 0 ? (by > 0 ? 0 : queries.length - 1) : within(place + by, queries.length);
  look({ token: queries[next] ?? null });
  document.querySelector(`section:not([hidden]) .queries [data-position="${state.token}"]`)?.scrollIntoView({ block: "nearest" });
}

function stepLeast(by) {
  const place = within(Math.round(20 * Math.sqrt(state.least)) + by, 21) / 20;
  look({ least: Number((place ** 2).toFixed(4)) });
}

function stepFilter() {
  if (!currentText().sentences.length) return;
  const place = FILTERS.findIndex(({ name }) => name === state.filter);
  look({ filter: FILTERS[(place + 1) % FILTERS.length].name });
}

function stepText(by) {
  look({ text: within(state.text + by, textCount), filter: "all" });
}

function toggleTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  refresh();
}
