// @ts-check
// Pointing at items and keeping one, in the same way with a mouse, a finger, a pen and the keyboard.

/**
 * The items of one element. What an item is, is for the caller to say: a token, a cell, a head.
 *
 * - A pointer over an item points at it, and points at nothing when it leaves. A click keeps the item.
 * - A first tap points at an item, and a second tap on it keeps it.
 * - The arrow keys move what is pointed at. Enter or the space bar keeps it. The element, or one item in it, is a stop
 *   of the Tab key.
 *
 * @template Item
 */
export class Pointing {
  /**
   * @param {any} root The element.
   * @param {object} use
   * @param {(event: any) => Item | null} use.itemAt Return the item at a pointer event.
   * @param {(item: Item | null, isFocus: boolean) => void} use.point
   * @param {(item: Item) => void} use.keep
   * @param {(down: number, right: number) => boolean} [use.move] Point at a neighbour of the item that the focus is on.
   *   Return false to leave the key to the page.
   * @param {(event: any) => Item | null} [use.itemInFocus] Return the item of a focus event, or null.
   */
  constructor(root, { itemAt, point, keep, move, itemInFocus }) {
    this.itemAt = itemAt;
    this.report = point;
    this.last = JSON.stringify(null);
    this.keep = keep;
    this.move = move;
    this.itemInFocus = itemInFocus;
    this.tapped = null;
    this.isTouch = false;
    this.isPressed = false;
    root.addEventListener("pointermove", (event) => this.moved(event));
    root.addEventListener("pointerover", (event) => this.moved(event));
    root.addEventListener("pointerleave", (event) => event.pointerType === "touch" || this.point(null, false));
    root.addEventListener("pointerdown", (event) => this.pressed(event));
    root.addEventListener("click", (event) => this.clicked(event));
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("focusin", (event) => this.focused(event));
    root.addEventListener("focusout", (event) => root.contains(event.relatedTarget) || this.point(null, true));
  }

  moved(event) {
    if (event.pointerType === "touch") return;
    const item = this.itemAt(event);
    this.point(item, false);
  }

  /** Report what is pointed at, once for each change. */
  point(/** @type {Item | null} */ item, /** @type {boolean} */ isFocus) {
    const name = JSON.stringify(item);
    if (name === this.last) return;
    this.last = name;
    this.report(item, isFocus);
  }

  pressed(event) {
    this.isTouch = event.pointerType === "touch";
    this.isPressed = true; // so the focus that a press brings is not taken for the keyboard's
    setTimeout(() => (this.isPressed = false));
  }

  clicked(event) {
    const item = this.itemAt(event);
    if (item === null) return;
    if (this.isTouch) {
      const name = JSON.stringify(item);
      this.point(item, false);
      if (this.tapped !== name) {
        this.tapped = name;
        return;
      }
    }
    this.tapped = null;
    this.keep(item);
  }

  focused(event) {
    if (this.isPressed) return;
    const item = this.itemInFocus?.(event) ?? null;
    if (item !== null) this.point(item, true);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (step && this.move?.(step[0], step[1])) event.preventDefault();
    else if ((event.key === "Enter" || event.key === " ") && this.itemInFocus) {
      const item = this.itemInFocus(event);
      if (item === null) return;
      event.preventDefault();
      this.keep(item);
    }
  }
}

/** Make one of the elements the only stop of the Tab key among them. */
export function stopAt(elements, stop) {
  for (const element of elements) element.tabIndex = element === stop ? 0 : -1;
}
