// Tokens as text, and lists of tokens with their weights.

// Return a token in visible form. Characters that change the text direction, or show nothing, are escaped. Callers show
// tokens left to right, even those of right-to-left scripts, so that ## comes first, as the tokenizer spells it.
function visible(token) {
  const seen = token.replace(/[\p{Cc}\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
  return seen.trim() === "" ? "␣".repeat(Math.max(1, seen.length)) : seen;
}

// Return an element with a token for use within a sentence.
const spelt = (token, properties = {}) => make("bdi", { dir: "ltr", text: visible(token), ...properties });

// Return the token in focus: the one under the pointer, else the selected one.
const focus = () => (pointed.position !== null ? pointed : { side: "query", position: state.token });

// A row of tokens to point at and click, which can be shaded by a share each.
class TokenFlow {
  constructor(parent, onPoint) {
    this.root = make("div", { class: "flow" });
    this.onPoint = onPoint;
    parent.append(this.root);
    this.root.addEventListener("mouseover", (event) => this.point(event));
    this.root.addEventListener("mouseleave", () => this.leave());
    this.root.addEventListener("click", (event) => this.keep(event));
    this.text = null;
  }

  show(text, positions) {
    const key = `${text.number}:${positions.join()}`;
    if (this.key === key) return;
    this.key = key;
    this.buttons = new Map();
    const children = positions.map((position) => {
      const token = text.tokens[position];
      const isSecond = text.sentences[position] === 1;
      const button = make("button", {
        type: "button", class: isSecond ? "token second" : "token", "data-position": position, dir: "ltr",
        title: `${visible(token)} · ${position}`, text: visible(token),
      });
      this.buttons.set(position, button);
      return button;
    });
    this.root.replaceChildren(...children);
  }

  mark(position, shareAt = null) {
    for (const [at, button] of this.buttons) {
      button.classList.toggle("chosen", at === position);
      const part = shareAt ? shareAt(at) : null;
      button.style.backgroundColor = part === null ? "" : rampColour(part);
      button.style.color = part === null ? "" : inkOn(part);
    }
  }

  point(event) {
    const position = event.target.dataset?.position;
    if (position === undefined) return;
    Object.assign(pointed, { side: "query", position: Number(position) });
    this.onPoint();
  }

  leave() {
    pointed.position = null;
    this.onPoint();
  }

  keep(event) {
    const position = event.target.dataset?.position;
    if (position !== undefined) look({ token: state.token === Number(position) ? null : Number(position) });
  }
}

// Return the strongest { position, weight }, strongest first.
function strongest(positions, weightAt, count) {
  return positions
    .map((position) => ({ position, weight: weightAt(position) }))
    .sort((a, b) => b.weight - a.weight || a.position - b.position)
    .slice(0, count);
}

// Return a bar whose length shows a share of 1.
function bar(part) {
  const element = make("span", { class: "bar" });
  element.style.width = `${100 * part}%`;
  return make("span", { class: "track" }, element);
}

// Return a list of tokens with their weights as numbers and bars.
function bars(text, found) {
  return make("ol", { class: "bars" }, ...found.map(({ position, weight }) => {
    const name = visible(text.tokens[position]);
    return make("li", { "data-position": position },
      make("span", { class: "name", dir: "ltr", text: name, title: name }),
      make("span", { class: "place", text: position }),
      make("span", { class: "number", text: share(weight) }),
      bar(weight));
  }));
}
