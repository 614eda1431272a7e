// @ts-check
// Build the page as soon as all of it has loaded, and draw it whenever the state changes.

import { setPrinting } from "./canvas.js";
import { controlOf, FoldButton, FOLDED } from "./controls.js";
import { about, headMatrix, layerOf, rolloutOf, textAt, textCount } from "./data.js";
import { byId, empty, make } from "./dom.js";
import { finder } from "./finder.js";
import { help } from "./help.js";
import { Keys, switchTheme } from "./keys.js";
import { grouped } from "./numbers.js";
import { MaskPane } from "./predictions.js";
import { SaveMenu } from "./saving.js";
import { currentText } from "./state.js";
import { change, drawAgain, listen, now, startStore } from "./store.js";
import { SurfaceText } from "./surface.js";
import { setPaper, startTheme } from "./theme.js";
import { titleOf } from "./tokens.js";
import { HeadsView } from "./views/heads.js";
import { MasksView } from "./views/masks.js";
import { MatrixView } from "./views/matrix.js";
import { ModelView } from "./views/model.js";
import { NeuronView } from "./views/neuron.js";
import { RolloutView } from "./views/rollout.js";
import { StatisticsView } from "./views/statistics.js";
import { TraceView } from "./views/trace.js";

/** @typedef {import("./state.js").State} State */

/** @type {import("./view.js").View[]} */
const views = [
  new HeadsView(),
  new MatrixView(),
  new ModelView(),
  new NeuronView(),
  new StatisticsView(),
  new RolloutView(),
  new MasksView(),
  new TraceView(),
];

function build() {
  byId("loading").remove();
  buildTexts(byId("texts"));
  surface = new SurfaceText(byId("surface"));
  finder.build(byId("finder"));
  help.build(byId("help"));
  byId("tools").append(
    new SaveMenu(views).root,
    make("button", {
      type: "button",
      class: "plain",
      text: "◐",
      title: "Light or dark theme (d)",
      "aria-label": "Light or dark",
      onclick: switchTheme,
    }),
    make("button", {
      type: "button",
      class: "plain",
      text: "?",
      title: "Keys (?)",
      "aria-label": "Keys",
      onclick: () => help.open(),
    }),
  );
  buildTabs(byId("tabs"));
  listen((state) => (byId("precision").textContent = PRECISIONS[currentText(state).weights.law]));
}

// How exact the weights of a text are, by the law of their encoding.
const PRECISIONS = {
  linear: "Weights of this text are stored in 16 bits: the error is at most 1/131070 of the largest weight of the row.",
  root:
    "Weights of this text are stored in 8 bits, as square roots: the largest of a row is within about 0.5 % of the " +
    "computed one, one that is a hundred times smaller within about 5 %. Each row sums to 1.",
};

function buildTabs(parent) {
  parent.append(...views.map(({ name, title }, at) => make("button", {
    type: "button", role: "tab", id: `tab-${name}`, title: `${title} (${at + 1})`, text: title, tabindex: -1,
    onclick: (event) => openTab(name, event.detail > 0),
  })));
  parent.addEventListener("keydown", (event) => {
    const at = views.findIndex(({ name }) => name === now().view);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: views.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const { name } = views[(next + views.length) % views.length];
    change({ view: name });
    byId(`tab-${name}`).focus();
  });
}

/** Open a view. After a click the keys belong to the view; with the keyboard the focus stays on the tab. */
function openTab(/** @type {string} */ name, /** @type {boolean} */ isClick) {
  change({ view: name });
  if (isClick) byId(`view-${name}`).focus({ preventScroll: true });
}

function buildTexts(parent) {
  const cut = make("span", {
    class: "cut",
    title: "The text is longer than the limit of the model or of --max-length, so only its beginning is shown.",
  });
  listen((state) => {
    cut.hidden = !currentText(state).truncated;
    cut.textContent = cutTo(currentText(state));
  });
  const count = textCount();
  if (count < 2) {
    parent.append(cut);
    return;
  }
  const optionOf = (number) =>
    `${number + 1}. ${titleOf(textAt(number))}${textAt(number).truncated ? ` (${cutTo(textAt(number))})` : ""}`;
  const select = make(
    "select",
    { id: "text", "aria-label": "Text", onchange: () => change({ text: Number(select.value) }) },
    ...Array.from({ length: count }, (_, number) => make("option", { value: number, text: optionOf(number) })),
  );
  parent.append(select, cut);
  listen(({ text }) => (select.value = text));
}

const cutTo = (/** @type {import("./data.js").Text} */ { size }) => `cut to ${grouped(size)} tokens`;

const maskPane = new MaskPane();
const foldButton = new FoldButton();
let drawnControls = [];
/** @type {SurfaceText} */
let surface;

function drawControls(/** @type {State} */ state, /** @type {import("./view.js").View} */ view) {
  const names = view.controls;
  const controls = names.map(controlOf);
  if (names.join() !== drawnControls.join()) {
    const [first, ...rest] = controls.map(({ element }) => element);
    byId("controls").replaceChildren(...(first ? [first, foldButton.element, ...rest] : []));
    drawnControls = names;
  }
  for (const control of controls) control.show(state, view);
  const folded = names.filter((name) => FOLDED.includes(name)).map((name) => controlOf(name).element);
  foldButton.show(byId("controls"), folded);
}

/** @type {State | null} */
let shown = null;

async function draw(/** @type {State} */ state) {
  const view = views.find(({ name }) => name === state.view);
  const before = shown;
  shown = state;
  const isHover = before && Object.keys(state).every((name) => name === "pointed" || state[name] === before[name]);
  if (!isHover) {
    surface.draw(state);
    showView(view, before?.view !== state.view);
    drawControls(state, view);
    finder.draw(state);
  }
  maskPane.draw(state, view); // before the view, which takes the room beside it
  const waiting = view.draw(state);
  // After the view: it measures its room, and the browser would first have to lay out the changed text.
  if (isHover) surface.draw(state);
  if (waiting) {
    await waiting;
    if (shown === state) drawControls(state, view);
  }
  if (shown === state) document.body.dataset.drawn = state.view; // for scripts outside the page
}

function showView(view, isOther) {
  const section = view.open();
  if (!isOther) return;
  const hadFocus = document.activeElement?.closest("main > section");
  for (const one of views) {
    if (one.section) one.section.hidden = one !== view;
    const tab = byId(`tab-${one.name}`);
    tab.setAttribute("aria-selected", String(one === view));
    tab.tabIndex = one === view ? 0 : -1;
  }
  if (hadFocus && hadFocus !== section) section.focus({ preventScroll: true });
  bringIntoSight(byId(`tab-${view.name}`));
}

/** Scroll the tab strip until the tab is visible, if the strip is wider than the window. */
function bringIntoSight(tab) {
  const strip = tab.parentElement;
  const [left, right] = [tab.offsetLeft - strip.offsetLeft, tab.offsetLeft - strip.offsetLeft + tab.offsetWidth];
  const beside = 32; // pixels of the neighbouring tab to show
  if (left - beside < strip.scrollLeft) strip.scrollLeft = left - beside;
  else if (right + beside > strip.scrollLeft + strip.clientWidth) strip.scrollLeft = right + beside - strip.clientWidth;
}

function print(/** @type {boolean} */ isPrint) {
  setPrinting(isPrint);
  setPaper(isPrint);
  drawAgain();
}

let isPrint = false;

/** Draw again after a change of the window, or of the room of the views alone. */
function watchRoom() {
  const views = byId("views");
  let width = views.clientWidth; // of the last drawing
  const look = () => {
    width = views.clientWidth;
    // Not now, since a drawing changes the height, which the observer observes too.
    requestAnimationFrame(() => isPrint || drawAgain());
  };
  new ResizeObserver(() => views.clientWidth === width || look()).observe(views);
  window.addEventListener("resize", look);
}

function start() {
  build();
  if (!textCount()) {
    byId("views").append(empty("No text", "All texts failed, so there is nothing to show."));
    return;
  }
  startTheme(drawAgain);
  startStore(views.map(({ name }) => name));
  listen(draw);
  drawAgain();
  new Keys(views);
  watchRoom();
  for (const [event, isPaper] of [["beforeprint", true], ["afterprint", false]]) {
    window.addEventListener(String(event), () => {
      if (isPrint === isPaper) return;
      isPrint = Boolean(isPaper);
      print(isPrint);
    });
  }
}

// For use in the browser's console: (await attentionPage.matrix(layer, head))[query][key].
Object.assign(globalThis, {
  attentionPage: Object.freeze({
    async matrix(layer, head, number = now().text) {
      return plain(headMatrix(await layerOf(textAt(number), layer), head));
    },
    async rollout(layer = about.layers - 1, number = now().text) {
      return plain(await rolloutOf(textAt(number), layer));
    },
  }),
});

function plain(matrix) {
  return Array.from({ length: matrix.size }, (_, query) => Array.from(matrix.row(query)));
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
