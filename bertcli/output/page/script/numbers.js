// @ts-check
// Numbers as text.

/**
 * Return a share in digits that tell it from zero: 0.123, 0.0123 or 1.2e-4. Only zero itself is "0".
 *
 * @param {number} number
 * @param {number} [precision] If this is not 0, a number that is 0 is only known to be smaller: "< 1.2e-5".
 */
export function share(number, precision = 0) {
  if (number === 0) return precision > 0 ? `< ${share(precision)}` : "0";
  if (Math.abs(number) < 0.00095) return number.toExponential(1);
  return number.toFixed(Math.abs(number) < 0.0995 ? 4 : 3);
}

/**
 * Return a share in few characters that tell it from zero: .12, .012, 1e-4 or <1e-4.
 *
 * @param {number} number
 * @param {number} [precision] As that of share().
 */
export function brief(number, precision = 0) {
  if (number === 0) return precision > 0 ? `<${brief(precision)}` : "0";
  if (number >= 0.995) return number.toFixed(0);
  if (number < 0.00095) return number.toExponential(0);
  return number.toFixed(number < 0.0095 ? 3 : 2).slice(1);
}

/** Return a value of a statistic, in more digits if it would look like zero. */
export function written(/** @type {string} */ name, /** @type {number} */ number) {
  const digits = name === "distance" ? 1 : 2;
  if (number === 0 || Math.abs(number) >= 0.5 * 10 ** -digits) return number.toFixed(digits);
  return Math.abs(number) < 0.00095 ? number.toExponential(0) : number.toFixed(digits + 1);
}

export const grouped = (/** @type {number} */ count) => count.toLocaleString("en");
