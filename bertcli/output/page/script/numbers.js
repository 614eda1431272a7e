// @ts-check
// Numbers as text.

/** Return a weight or probability with three significant digits; never zero for what is not. */
export function share(/** @type {number} */ number) {
  if (number === 0) return "0";
  if (number >= 0.9995) return "1.000";
  if (number >= 0.001) return number.toFixed(3);
  return number.toExponential(1);
}

/** Return a value of a statistic. */
export const written = (/** @type {string} */ name, /** @type {number} */ number) => number.toFixed(name === "distance" ? 1 : 2);

export const grouped = (/** @type {number} */ count) => count.toLocaleString("en");
