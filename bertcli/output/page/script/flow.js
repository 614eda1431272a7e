// @ts-check
// Lines from rows on the left to rows on the right. The context is that of a canvas, or an SvgContext.

/**
 * @typedef {object} Link
 * @property {number} from Place of the row on the left.
 * @property {number} to Place of the row on the right.
 * @property {number} strength 0 to 1
 * @property {string} colour
 *
 * @typedef {object} Sides Lengths in CSS pixels.
 * @property {number} left Where lines begin.
 * @property {number} right Where lines end.
 * @property {number} top
 * @property {number} rowOfLeft Height of a row on the left.
 * @property {number} rowOfRight
 */

export const BEND = 0.42; // share of the width after which a line bends
const FAINTEST = 0.03;

/** Paint the lines, the strongest last. */
export function paintFlow(
  context,
  /** @type {Sides} */ { left, right, top, rowOfLeft, rowOfRight },
  /** @type {Link[]} */ links,
  width = 1.3,
) {
  const bend = (right - left) * BEND;
  context.lineCap = "round";
  context.lineWidth = width;
  for (const { from, to, strength, colour } of links.toSorted((a, b) => a.strength - b.strength)) {
    const [start, end] = [top + rowOfLeft * (from + 0.5), top + rowOfRight * (to + 0.5)];
    context.strokeStyle = colour;
    context.globalAlpha = Math.max(FAINTEST, strength);
    context.beginPath();
    context.moveTo(left, start);
    context.bezierCurveTo(left + bend, start, right - bend, end, right, end);
    context.stroke();
  }
  context.globalAlpha = 1;
}
