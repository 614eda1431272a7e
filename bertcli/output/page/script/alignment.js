// @ts-check
// The alignment of the tokens of two texts, by a longest common subsequence.

/**
 * @typedef {object} Slot A place in the aligned texts. A token that only one text has is alone in it, or beside one
 *   that only the other text has.
 * @property {number | null} left Position in the left text.
 * @property {number | null} right Position in the right text.
 * @property {boolean} isSame True if both texts have the same token here.
 * @property {boolean} isAligned True if the tokens are compared: they are the same, or one replaces the other.
 */

/** Return the position that a slot has in the left text (side 0) or in the right one (side 1). */
export const positionOn = (/** @type {Slot} */ { left, right }, /** @type {number} */ side) =>
  side === 0 ? left : right;

/** @returns {Slot[]} One for each token of a text that is compared with itself. */
export const identity = (/** @type {number} */ size) =>
  Array.from({ length: size }, (_, position) => ({ left: position, right: position, isSame: true, isAligned: true }));

/**
 * Return the aligned texts, in their order.
 *
 * @param {string[]} left
 * @param {string[]} right
 * @param {boolean} pairsReplaced Align tokens that replace as many others, such as he instead of she.
 */
export function aligned(left, right, pairsReplaced) {
  /** @type {Slot[]} */
  const slots = [];
  let [leftNext, rightNext] = [0, 0];
  for (const [leftAt, rightAt] of [...commonSubsequence(left, right), [left.length, right.length]]) {
    const isAligned = pairsReplaced && leftAt - leftNext === rightAt - rightNext;
    while (leftNext < leftAt || rightNext < rightAt) {
      slots.push({
        left: leftNext < leftAt ? leftNext++ : null,
        right: rightNext < rightAt ? rightNext++ : null,
        isSame: false,
        isAligned,
      });
    }
    if (leftAt < left.length) slots.push({ left: leftNext++, right: rightNext++, isSame: true, isAligned: true });
  }
  return slots;
}

/** @returns {[number, number][]} The positions in both lists of a longest common subsequence. */
function commonSubsequence(/** @type {string[]} */ left, /** @type {string[]} */ right) {
  const shorter = Math.min(left.length, right.length);
  let start = 0;
  while (start < shorter && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < shorter - start && left.at(-1 - end) === right.at(-1 - end)) end += 1;
  const equal = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ by) =>
    Array.from({ length: to - from }, (_, at) => /** @type {[number, number]} */ ([from + at, from + at + by]));
  const inner = subsequenceBetween(left.slice(start, left.length - end), right.slice(start, right.length - end));
  return [
    ...equal(0, start, 0),
    ...inner.map(([leftAt, rightAt]) => /** @type {[number, number]} */ ([leftAt + start, rightAt + start])),
    ...equal(left.length - end, left.length, right.length - left.length),
  ];
}

/** @returns {[number, number][]} A longest common subsequence, by a table of the lengths of those of all suffixes. */
function subsequenceBetween(/** @type {string[]} */ left, /** @type {string[]} */ right) {
  const width = right.length + 1;
  const lengths = new Uint16Array((left.length + 1) * width);
  for (let row = left.length - 1; row >= 0; row--) {
    for (let column = right.length - 1; column >= 0; column--) {
      const at = row * width + column;
      lengths[at] =
        left[row] === right[column] ? lengths[at + width + 1] + 1 : Math.max(lengths[at + width], lengths[at + 1]);
    }
  }
  /** @type {[number, number][]} */
  const found = [];
  for (let row = 0, column = 0; row < left.length && column < right.length; ) {
    const at = row * width + column;
    if (left[row] === right[column]) found.push([row++, column++]);
    else if (lengths[at + width] >= lengths[at + 1]) row += 1;
    else column += 1;
  }
  return found;
}
