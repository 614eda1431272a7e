// @ts-check
// Numbers as text.

/** Return a share in digits that tell it from zero: 0.123, 0.0123 or 1.2e-4. Only zero itself is "0". */
export function share(/** @type {number} */ number) {
  if (number === 0) return "0";
  if (Math.abs(number) < 0.00095) return number.toExponential(1);
  return number.toFixed(Math.abs(number) < 0.0995 ? 4 : 3);
}

/** Return a value of a statistic. */
export const written = (/** @type {string} */ name, /** @type {number} */ number) => number.toFixed(name === "distance" ? 1 : 2);

export const grouped = (/** @type {number} */ count) => count.toLocaleString("en");
