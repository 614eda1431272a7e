// @ts-check
// Elements of the page.

/**
 * Create an element. A property that begins with "on" is an event listener; text is never parsed as HTML.
 *
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...any} children Nodes and texts; null ones are left out.
 * @returns {any} The element, whatever its class: the callers know the tag.
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...present(children));
  return element;
}

const present = (/** @type {any[]} */ children) => children.filter((child) => child !== null && child !== undefined);

/** Replace the children of an element; null children are left out. */
export function fill(element, ...children) {
  element.replaceChildren(...present(children));
  return element;
}

/** @returns {any} The element with this id, whatever its class. */
export const byId = (/** @type {string} */ id) => document.getElementById(id);

/** Return the message that fills a view without anything to show. */
export function empty(title, ...paragraphs) {
  return make("div", { class: "empty" }, make("h2", { text: title }), ...paragraphs.map((text) => make("p", { text })));
}

let lastAnnounced = "";

/** Have a screen reader say these words, if they are new. */
export function announce(words) {
  if (words === lastAnnounced) return;
  lastAnnounced = words;
  byId("announcer").textContent = words;
}

let due = null;

/** Run the work before the next frame; of several calls before it, run only the last. */
export function soon(work) {
  if (!due) {
    requestAnimationFrame(() => {
      const last = due;
      due = null;
      last();
    });
  }
  due = work;
}
