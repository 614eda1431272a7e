// The bar of controls above a view. Each view lists the controls that it uses.

const controls = {};

controls.layer = {
  build: () => stepper("Layer", "layer", about.layers),
  draw: (element) => element.set(state.layer),
};

controls.through = {
  build: () => stepper("Through layer", "through", about.layers),
  draw: (element) => element.set(state.through),
};

controls.heads = {
  build: () => headChips((head, event) => {
    const heads = new Set(state.heads);
    if (event.altKey || event.shiftKey) look({ heads: new Set([head]) });
    else {
      if (!heads.delete(head)) heads.add(head);
      look({ heads });
    }
  }, true),
  draw: (element) => element.set(state.heads),
};

controls.head = {
  build: () => headChips((head) => look({ heads: new Set([head]) }), false),
  draw: (element) => element.set(new Set([soleHead()])),
};

controls.filter = {
  build() {
    const buttons = FILTERS.map(({ name, title }) => make("button", {
      type: "button", "data-filter": name, text: title, onclick: () => look({ filter: name }),
    }));
    return make("div", { class: "control filter", role: "group", "aria-label": "Sentences" },
      make("span", { class: "caption", text: "Sentences" }), make("span", { class: "segments" }, ...buttons));
  },
  draw(element) {
    element.hidden = !currentText().sentences.length;
    for (const button of element.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.filter === state.filter));
    }
  },
};

// Most weights are small, so the slider's scale is their square root.
controls.least = {
  build() {
    const slider = make("input", {
      type: "range", min: 0, max: 100, "aria-label": "Minimum weight",
      oninput: () => look({ least: Number(((slider.value / 100) ** 2).toFixed(4)) }),
    });
    const number = make("output", { class: "number" });
    const element = make("label", { class: "control least" }, make("span", { class: "caption", text: "Minimum weight" }), slider, number);
    element.set = (least) => {
      slider.value = Math.round(100 * Math.sqrt(least));
      number.textContent = least.toFixed(2);
    };
    return element;
  },
  draw: (element) => element.set(state.least),
};

controls.statistic = {
  build() {
    const buttons = about.statistics.map((name) => make("button", {
      type: "button", text: name, title: MEANINGS[name], "data-statistic": name, onclick: () => look({ statistic: name }),
    }));
    return make("div", { class: "control statistic", role: "group", "aria-label": "Statistic" }, make("span", { class: "segments" }, ...buttons));
  },
  draw(element) {
    for (const button of element.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.statistic === state.statistic));
    }
  },
};

controls.find = {
  build: () => make("button", { type: "button", class: "control chip", onclick: () => look({ find: "" }) }),
  draw(element) {
    element.hidden = foundHeads() === null;
    element.replaceChildren(`${state.find} `, make("span", { class: "count", text: foundHeads()?.size ?? 0 }), " ×");
    element.setAttribute("aria-label", `Stop searching for ${state.find}`);
  },
};

function stepper(title, name, count) {
  const step = (by) => look({ [name]: Math.min(count - 1, Math.max(0, state[name] + by)) });
  const select = make("select", { "aria-label": title, "data-control": name, onchange: () => look({ [name]: Number(select.value) }) },
    ...Array.from({ length: count }, (_, value) => make("option", { value, text: value })));
  const less = make("button", { type: "button", "aria-label": `${title}: previous`, text: "‹", onclick: () => step(-1) });
  const more = make("button", { type: "button", "aria-label": `${title}: next`, text: "›", onclick: () => step(1) });
  const element = make("div", { class: "control stepper" }, make("span", { class: "caption", text: title }), less, select, more);
  element.set = (value) => {
    select.value = value;
    less.disabled = value === 0;
    more.disabled = value === count - 1;
  };
  return element;
}

function headChips(onChoose, areMany) {
  const chips = Array.from({ length: about.heads }, (_, head) => {
    const chip = make("button", {
      type: "button", class: "head", text: head, "data-head": head,
      "aria-label": `head ${head}`, onclick: (event) => onChoose(head, event),
      ondblclick: () => look({ heads: new Set([head]) }),
    });
    return chip;
  });
  const all = areMany ? make("button", {
    type: "button", class: "plain", text: "all", title: "all heads or none",
    onclick: () => look({ heads: state.heads.size === about.heads ? new Set() : everyHead() }),
  }) : null;
  const element = make("div", { class: "control chips", role: "group", "aria-label": areMany ? "Heads" : "Head" },
    make("span", { class: "caption", text: areMany ? "Heads" : "Head" }), make("span", { class: "row" }, ...chips), all);
  element.set = (heads) => {
    if (all) all.textContent = heads.size === about.heads ? "none" : "all";
    chips.forEach((chip, head) => {
      const isOn = heads.has(head);
      const label = labelOf(currentText(), state.layer, head);
      chip.setAttribute("aria-pressed", String(isOn));
      chip.title = `head ${head}${label ? ` · ${label}` : ""}${areMany ? " · double-click: only this head" : ""}`;
      chip.style.setProperty("--head", headColour(head));
    });
  };
  return element;
}
