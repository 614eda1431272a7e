// Search for heads by label, by number (3.7) or by statistic (entropy < 0.5).

const MOST_FOUND = 12;
const SYNTAX = "label (previous, next, self, delimiter, broad), layer (3), layer and head (3.7), or statistic (entropy < 0.5; also <=, > and >=).";
const COMPARISONS = {
  "<": (number, limit) => number < limit,
  "<=": (number, limit) => number <= limit,
  ">": (number, limit) => number > limit,
  ">=": (number, limit) => number >= limit,
};
const found = { text: null, find: null, heads: null };

// Return the set of heads that match the search, each as layer * heads + head, or null without a search.
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
  const comparison = asked.match(/^([a-z]+)\s*([<>]=?)\s*(\d*\.?\d+)$/);
  if (comparison) {
    const [, name, sign, limit] = comparison;
    const column = about.statistics.findIndex((statistic) => statistic.startsWith(name));
    if (column < 0) return new Set();
    return new Set(every.filter((at) => COMPARISONS[sign](text.statistics[at][column], Number(limit))));
  }
  const place = asked.match(/^(\d+)(?:[.,\s:]+(\d+)?)?$/);
  if (place) {
    const [, layer, head] = place;
    return new Set(every.filter((at) => Math.floor(at / about.heads) === Number(layer) && (head === undefined || at % about.heads === Number(head))));
  }
  return new Set(every.filter((at) => text.labels[at]?.startsWith(asked)));
}

const syntax = () => make("p", { class: "quiet syntax", text: `Search by ${SYNTAX}` });

const finder = {
  build(parent) {
    this.input = make("input", {
      type: "search", id: "find", placeholder: "Find heads", autocomplete: "off", spellcheck: "false",
      "aria-label": "Find heads by label, number or statistic", title: `Search by ${SYNTAX}`,
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
      this.list.replaceChildren(syntax());
      return;
    }
    const text = currentText();
    const first = [...heads].slice(0, MOST_FOUND);
    fill(this.list,
      make("p", { class: "quiet", text: heads.size === 1 ? "1 head" : `${heads.size || "No"} heads` }),
      heads.size ? null : syntax(),
      ...first.map((at) => this.result(text, Math.floor(at / about.heads), at % about.heads)),
      heads.size > first.length ? make("p", { class: "quiet", text: `and ${heads.size - first.length} more; Model and Statistics show all of them` }) : "");
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
