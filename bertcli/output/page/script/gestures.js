// @ts-check
// Gestures on a drawing: a drag from one point to another, and a pinch with two fingers or the wheel.

/** @typedef {{x: number, y: number}} Point In CSS pixels, from the top left corner of the element. */

const STEADY = 5; // pixels; a pointer that moves less is a click

/** Return where an event is, in the element. */
function pointIn(element, /** @type {{clientX: number, clientY: number}} */ { clientX, clientY }) {
  const { left, top } = element.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}

/** A drag. It is not a click: the element gets no click event at its end. */
export class Drag {
  /**
   * @param {any} element
   * @param {object} use
   * @param {boolean} use.hasTouch True if a finger drags as well; else a finger scrolls the page.
   * @param {(from: Point, to: Point) => void} use.move
   * @param {(from: Point, to: Point) => void} use.end
   * @param {() => void} [use.cancel]
   */
  constructor(element, { hasTouch, move, end, cancel }) {
    this.element = element;
    this.hasTouch = hasTouch;
    this.report = { move, end, cancel };
    /** @type {Point | null} */
    this.from = null; // where the pointer was pressed
    this.isActive = false;
    this.isClickDue = false; // the browser sends a click after the drag
    element.addEventListener("pointerdown", (event) => this.pressed(event));
    element.addEventListener("pointermove", (event) => this.moved(event));
    element.addEventListener("pointerup", (event) => this.released(event));
    element.addEventListener("pointercancel", () => this.stop());
    document.addEventListener("keydown", (event) => this.key(event), true);
    element.parentElement.addEventListener("click", (event) => this.clicked(event), true);
  }

  pressed(event) {
    this.isClickDue = false;
    if (event.button !== 0 || (event.pointerType === "touch" && !this.hasTouch)) return;
    this.from = pointIn(this.element, event);
  }

  moved(event) {
    if (!this.from) return;
    const to = pointIn(this.element, event);
    if (!this.isActive && Math.hypot(to.x - this.from.x, to.y - this.from.y) < STEADY) return;
    if (!this.isActive) this.element.setPointerCapture(event.pointerId);
    this.isActive = true;
    this.report.move(this.from, to);
  }

  released(event) {
    const { from, isActive } = this;
    this.from = null;
    this.isActive = false;
    if (!isActive) return;
    this.isClickDue = true;
    this.report.end(from, pointIn(this.element, event));
  }

  stop() {
    this.from = null;
    if (this.isActive) this.report.cancel?.();
    this.isActive = false;
  }

  key(event) {
    if (event.key !== "Escape" || !this.isActive) return;
    event.preventDefault();
    event.stopPropagation();
    this.stop();
    this.isClickDue = true;
  }

  clicked(event) {
    if (this.isClickDue) event.stopPropagation();
    this.isClickDue = false;
  }
}

/** A pinch: two fingers on the element, or the wheel with Ctrl, which is how browsers report a trackpad's pinch. */
export class Pinch {
  /**
   * @param {any} element
   * @param {(factor: number, at: Point, isFirst: boolean) => void} zoom Zoom to a factor of the part at the start.
   */
  constructor(element, zoom) {
    this.element = element;
    this.zoom = zoom;
    this.distance = 0;
    element.addEventListener("touchstart", (event) => this.began(event), { passive: false });
    element.addEventListener("touchmove", (event) => this.moved(event), { passive: false });
    element.addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
  }

  began(event) {
    if (event.touches.length !== 2) return;
    event.preventDefault();
    const { distance, middle } = this.fingers(event);
    this.distance = distance;
    this.zoom(1, middle, true);
  }

  moved(event) {
    if (event.touches.length !== 2) return;
    event.preventDefault();
    const { distance, middle } = this.fingers(event);
    this.zoom(this.distance / Math.max(distance, 1), middle, false);
  }

  wheeled(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.zoom(Math.exp(Math.max(-50, Math.min(50, event.deltaY)) / 100), pointIn(this.element, event), true);
  }

  fingers({ touches }) {
    const [one, other] = [...touches].map((touch) => pointIn(this.element, touch));
    return {
      distance: Math.hypot(one.x - other.x, one.y - other.y),
      middle: { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 },
    };
  }
}
