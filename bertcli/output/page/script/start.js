// Build the page as soon as all of it has loaded.

const sections = new Map();
let drawnControls = [];

function build() {
  document.getElementById("loading").remove();
  countTexts();
  buildTexts(document.getElementById("texts"));
  finder.build(document.getElementById("finder"));
  help.build(document.getElementById("help"));
  document.getElementById("tools").append(
    make("button", { type: "button", class: "plain", text: "◐", title: "Light or dark theme (d)", "aria-label": "Light or dark", onclick: toggleTheme }),
    make("button", { type: "button", class: "plain", text: "?", title: "Keys (?)", "aria-label": "Keys", onclick: () => help.open() }));
  document.getElementById("tabs").append(...views.map(({ name, title }, at) => make("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `view-${name}`, title: `${title} (${at + 1})`, text: title,
    onclick: () => look({ view: name }),
  })));
  const precision = document.getElementById("precision");
  listeners.push(() => (precision.textContent = PRECISIONS[currentText().weights.law]));
}

// How exact the weights of a text are, by the law of their encoding.
const PRECISIONS = {
  linear: "Weights of this text are stored in 16 bits: the error is at most 1/131070 of the largest weight of the row.",
  root: "Weights of this text are stored in 8 bits, as square roots: the largest of a row is within about 0.5 % of the computed one, one that is a hundred times smaller within about 5 %. Each row sums to 1.",
};

function buildTexts(parent) {
  const titleOf = (number) => {
    const { text, pair } = textAt(number);
    const whole = pair === null ? text : `${text} ‖ ${pair}`;
    return visible(whole.length > 90 ? `${whole.slice(0, 90)}…` : whole);
  };
  const cut = make("span", { class: "cut", title: "The text is longer than the limit of the model or of --max-length, so only its beginning is shown." });
  listeners.push(() => {
    cut.hidden = !currentText().truncated;
    cut.textContent = cutTo(currentText());
  });
  if (textCount < 2) {
    if (textCount) parent.append(make("p", { class: "text", dir: "auto", title: visible(textAt(0).text.slice(0, 1000)), text: titleOf(0) }), cut);
    return;
  }
  const optionOf = (number) => `${number + 1}. ${titleOf(number)}${textAt(number).truncated ? ` (${cutTo(textAt(number))})` : ""}`;
  const select = make("select", { id: "text", "aria-label": "Text", onchange: () => look({ text: Number(select.value), filter: "all" }) },
    ...Array.from({ length: textCount }, (_, number) => make("option", { value: number, text: optionOf(number) })));
  parent.append(select, cut);
  listeners.push(() => (select.value = state.text));
}

const cutTo = ({ size }) => `cut to ${size.toLocaleString("en")} tokens`;

function drawControls(view) {
  const bar = document.getElementById("controls");
  for (const name of view.controls) controls[name].element ??= controls[name].build();
  const elements = view.controls.map((name) => controls[name].element);
  if (elements.length !== drawnControls.length || elements.some((element, at) => element !== drawnControls[at])) {
    bar.replaceChildren(...elements);
    drawnControls = elements;
  }
  for (const name of view.controls) controls[name].draw(controls[name].element);
}

// Return the section of a view; build it the first time the view is opened.
function sectionOf(view) {
  if (!sections.has(view.name)) {
    const section = make("section", { id: `view-${view.name}`, role: "tabpanel", "aria-labelledby": `tab-${view.name}` });
    document.getElementById("views").append(section);
    view.build(section);
    sections.set(view.name, section);
  }
  return sections.get(view.name);
}

const currentView = () => views.find(({ name }) => name === state.view);

async function refresh() {
  const view = currentView();
  const shown = sectionOf(view);
  for (const section of sections.values()) section.hidden = section !== shown;
  for (const { name } of views) {
    document.getElementById(`tab-${name}`).setAttribute("aria-selected", String(name === state.view));
  }
  bringIntoSight(document.getElementById(`tab-${state.view}`));
  drawControls(view);
  finder.draw();
  await view.draw();
  document.body.dataset.drawn = state.view; // tells scripts outside the page that the view is drawn
}

// Scroll the tab strip until the tab is visible, if the strip is wider than the window.
function bringIntoSight(tab) {
  const strip = tab.parentElement;
  const [left, right] = [tab.offsetLeft - strip.offsetLeft, tab.offsetLeft - strip.offsetLeft + tab.offsetWidth];
  const beside = 32; // pixels of the neighbouring tab to show
  if (left - beside < strip.scrollLeft) strip.scrollLeft = left - beside;
  else if (right + beside > strip.scrollLeft + strip.clientWidth) strip.scrollLeft = right + beside - strip.clientWidth;
}

// The screen's colours still apply while the script draws for paper, so switch to the light theme first.
let screenTheme;

function printed(isPrint) {
  if (isPrint === isPrinting) return;
  isPrinting = isPrint;
  const { dataset } = document.documentElement;
  if (isPrint) {
    screenTheme = dataset.theme;
    dataset.theme = "light";
  } else if (screenTheme === undefined) delete dataset.theme;
  else dataset.theme = screenTheme;
  drawControls(currentView());
  currentView().redraw();
}

function start() {
  build();
  if (!textCount) {
    document.getElementById("views").append(empty("No text", "All texts failed, so there is nothing to show."));
    return;
  }
  readHash();
  listeners.push(() => refresh());
  for (const listener of listeners) listener();
  window.addEventListener("hashchange", () => {
    readHash();
    pointed.position = null;
    for (const listener of listeners) listener();
  });
  window.addEventListener("resize", () => soon(refresh));
  window.addEventListener("beforeprint", () => printed(true));
  window.addEventListener("afterprint", () => printed(false));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => soon(refresh));
  document.addEventListener("keydown", heedKeys);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
