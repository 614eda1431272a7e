// The page is put together when all of it is there.

const sections = new Map();
let drawnControls = [];

function build() {
  document.getElementById("loading").remove();
  countTexts();
  buildTexts(document.getElementById("texts"));
  finder.build(document.getElementById("finder"));
  help.build(document.getElementById("help"));
  document.getElementById("tools").append(
    make("button", { type: "button", class: "plain", text: "◐", title: "Light or dark (d)", "aria-label": "Light or dark", onclick: toggleTheme }),
    make("button", { type: "button", class: "plain", text: "?", title: "Keys (?)", "aria-label": "Keys", onclick: () => help.open() }));
  document.getElementById("tabs").append(...views.map(({ name, title }, at) => make("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `view-${name}`, title: `${title} (${at + 1})`, text: title,
    onclick: () => look({ view: name }),
  })));
  document.getElementById("precision").textContent =
    "Weights are kept in 8 bits, scaled by the largest of their row: each is within 1/255 of that from what the model computed.";
}

function buildTexts(parent) {
  const named = (number) => {
    const { text, pair } = textAt(number);
    const whole = pair === null ? text : `${text} ‖ ${pair}`;
    return whole.length > 90 ? `${whole.slice(0, 90)}…` : whole;
  };
  if (textCount < 2) {
    if (textCount) parent.append(make("p", { class: "text", dir: "auto", title: textAt(0).text.slice(0, 1000), text: visible(named(0)) }));
    return;
  }
  const select = make("select", { id: "text", "aria-label": "Text", onchange: () => look({ text: Number(select.value), filter: "all" }) },
    ...Array.from({ length: textCount }, (_, number) => make("option", { value: number, text: `${number + 1}. ${visible(named(number))}` })));
  parent.append(select);
  listeners.push(() => (select.value = state.text));
}

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

// A view is built when it is first opened.
function sectionOf(view) {
  if (!sections.has(view.name)) {
    const section = make("section", { id: `view-${view.name}`, role: "tabpanel", "aria-labelledby": `tab-${view.name}` });
    document.getElementById("views").append(section);
    view.build(section);
    sections.set(view.name, section);
  }
  return sections.get(view.name);
}

async function refresh() {
  const view = views.find(({ name }) => name === state.view);
  const shown = sectionOf(view);
  for (const section of sections.values()) section.hidden = section !== shown;
  for (const { name } of views) {
    document.getElementById(`tab-${name}`).setAttribute("aria-selected", String(name === state.view));
  }
  drawControls(view);
  finder.draw();
  await view.draw();
  document.body.dataset.drawn = state.view; // for whoever waits for the view
}

function printed(isPrint) {
  isPrinting = isPrint;
  const view = views.find(({ name }) => name === state.view);
  if (view === headsView && headsView.matrices?.length) headsView.point();
  else if (view.heatmap?.matrix) view.heatmap.show(view.heatmap.text, view.heatmap.rows, view.heatmap.matrix, view.title);
  else if (view === statisticsView) view.draw();
}

function start() {
  build();
  if (!textCount) {
    document.getElementById("views").append(empty("No text", "None of the texts had an answer."));
    return;
  }
  readHash();
  listeners.push(() => refresh());
  for (const listener of listeners) listener();
  window.addEventListener("hashchange", () => {
    readHash();
    for (const listener of listeners) listener();
  });
  window.addEventListener("resize", () => soon(refresh));
  window.addEventListener("beforeprint", () => printed(true));
  window.addEventListener("afterprint", () => printed(false));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);
  document.addEventListener("keydown", heedKeys);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
