// Search for heads: by label, by number (3.7) or by a statistic (entropy < 0.5).

const MOST_FOUND = 12;
const found = { text: null, find: null, heads: null };

// The heads that are searched for, as layer * heads + head; null where nothing is.
function foundHeads() {
  const text = currentText();
  if (found.text !== text || found.find !== state.find) {
    Object.assign(found, { text, find: state.find, heads: searched(text, state.find.trim().toLowerCase()) });
  }
  return found.heads;
}

function searched(text, asked) {
  if (!asked) return null;
  const every = text.labels.map((_, at) => at);
  const comparison = asked.match(/^([a-z]+)\s*([<>])=?\s*([\d.]+)$/);
  if (comparison) {
    const [, name, sign, limit] = comparison;
    const column = about.statistics.findIndex((statistic) => statistic.startsWith(name));
    if (column < 0) return new Set();
    const fits = (number) => (sign === "<" ? number <= Number(limit) : number >= Number(limit));
    return new Set(every.filter((at) => fits(text.statistics[at][column])));
  }
  const place = asked.match(/^(\d+)(?:[.,\s:]+(\d+)?)?$/);
  if (place) {
    const [, layer, head] = place;
    return new Set(every.filter((at) => Math.floor(at / about.heads) === Number(layer) && (head === undefined || at % about.heads === Number(head))));
  }
  return new Set(every.filter((at) => text.labels[at]?.startsWith(asked)));
}

const finder = {
  build(parent) {
    this.input = make("input", {
      type: "search", id: "find", placeholder: "Find heads", autocomplete: "off", spellcheck: "false",
      "aria-label": "Find heads by label, number or statistic", title: "previous, next, self, delimiter, broad; 3.7; entropy < 0.5",
      oninput: () => look({ find: this.input.value }), onfocus: () => this.draw(), onkeydown: (event) => this.key(event),
    });
    this.list = make("div", { class: "results", hidden: true });
    parent.append(this.input, this.list);
    document.addEventListener("pointerdown", (event) => parent.contains(event.target) || this.close());
  },

  draw() {
    if (this.input.value !== state.find) this.input.value = state.find;
    const heads = foundHeads();
    this.list.hidden = document.activeElement !== this.input;
    if (this.list.hidden) return;
    if (heads === null) {
      this.list.replaceChildren(make("p", { class: "quiet", text: "A label (previous, next, self, delimiter, broad), a head (3.7), or a statistic (entropy < 0.5)." }));
      return;
    }
    const text = currentText();
    const first = [...heads].slice(0, MOST_FOUND);
    fill(this.list,
      make("p", { class: "quiet", text: heads.size === 1 ? "1 head" : `${heads.size || "No"} heads` }),
      ...first.map((at) => this.result(text, Math.floor(at / about.heads), at % about.heads)),
      heads.size > first.length ? make("p", { class: "quiet", text: `and ${heads.size - first.length} more: the grids show them all` }) : "");
  },

  result(text, layer, head) {
    return make("button", { type: "button", onclick: () => this.open(layer, head) },
      make("span", { text: `Layer ${layer}, head ${head}` }), make("span", { class: "quiet", text: labelOf(text, layer, head) ?? "" }));
  },

  open(layer, head) {
    this.close();
    openHead(layer, head);
  },

  close() {
    this.input.blur();
    this.list.hidden = true;
  },

  key(event) {
    if (event.key === "Enter" && foundHeads()?.size) {
      const [at] = foundHeads();
      this.open(Math.floor(at / about.heads), at % about.heads);
    } else if (event.key === "Escape") {
      look({ find: "" });
      this.close();
    }
  },
};
