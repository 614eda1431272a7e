// @ts-check
// The numbers of a view as a table, and tables as CSV.

import { about, layerName } from "./data.js";
import { placeOfHead } from "./state.js";

/**
 * @typedef {import("./data.js").Text} Text
 * @typedef {import("./data.js").RowMatrix} RowMatrix
 * @typedef {{columns: string[], rows: (string | number | null)[][]}} Table
 */

const DIGITS = 6;
const FORMULA = /^[=+\-@\t\r]./su; // a spreadsheet would compute such a text; it takes one after an apostrophe as it is

/** Return a weight for a table: null if it is stored as 0, which only means that it is smaller than the precision. */
export const weightOrNull = (/** @type {number} */ weight, /** @type {number} */ precision) =>
  weight === 0 && precision > 0 ? null : weight;

/** Return a table as CSV (RFC 4180). */
export const csvOf = (/** @type {Table} */ { columns, rows }) =>
  `${[columns, ...rows].map((row) => row.map(field).join(",")).join("\r\n")}\r\n`;

function field(/** @type {string | number | null} */ value) {
  if (typeof value === "number") return String(Number(value.toPrecision(DIGITS)));
  const text = FORMULA.test(value ?? "") ? `'${value}` : (value ?? "");
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @returns {Table} A row for each line of the head view. */
export function tableOfLines(
  /** @type {Text} */ text,
  /** @type {number} */ layer,
  /** @type {import("./lines.js").Line[]} */ lines,
) {
  const sorted = lines.toSorted((a, b) => a.query - b.query || a.head - b.head || a.key - b.key);
  return {
    columns: ["query_position", "query", "key_position", "key", "layer", "head", "weight"],
    rows: sorted.map(({ head, query, key, weight }) => [
      query,
      text.tokens[query],
      key,
      text.tokens[key],
      layerName(layer),
      head,
      weight,
    ]),
  };
}

/** @returns {Table} A row for each query, and a column for each key. */
export function tableOfMatrix(
  /** @type {Omit<import("./cells.js").Picture, "shading">} */ { text, rows: { queries, keys }, matrix },
) {
  return {
    columns: ["query_position", "query", ...keys.map((key) => `${key} ${text.tokens[key]}`)],
    rows: queries.map((query) => {
      const precision = matrix.precision(query);
      return [query, text.tokens[query], ...keys.map((key) => weightOrNull(matrix.at(query, key), precision))];
    }),
  };
}

/** @returns {Table} A row for each head. */
export function tableOfHeads(
  /** @type {Text} */ text,
  /** @type {import("./statistics.js").Numbers[]} */ statistics = text.statistics,
) {
  return {
    columns: ["layer", "head", "label", ...about.statistics],
    rows: statistics.map((numbers, at) => {
      const { layer, head } = placeOfHead(at);
      return [layerName(layer), head, text.labels[at], ...numbers];
    }),
  };
}

/**
 * @returns {Table} A row for each key in each layer.
 * @param {Text} text
 * @param {number} query
 * @param {number[]} keys
 * @param {ArrayLike<number>[]} means The weights of each layer.
 * @param {number[]} precisions What a weight of 0 is smaller than, in each layer.
 */
export function tableOfTrace(text, query, keys, means, precisions) {
  return {
    columns: ["layer", "query_position", "query", "key_position", "key", "weight"],
    rows: means.flatMap((weights, layer) =>
      keys.map((key) => [
        layerName(layer),
        query,
        text.tokens[query],
        key,
        text.tokens[key],
        weightOrNull(weights[key], precisions[layer]),
      ])),
  };
}

/** @returns {Table | null} A row for each prediction of each mask. */
export function tableOfMasks(/** @type {Text} */ text) {
  if (!text.masks.length) return null;
  return {
    columns: ["mask", "position", "rank", "token", "score", "sequence"],
    rows: text.masks.flatMap(({ position, predictions }, mask) =>
      predictions.map(({ token, score, sequence }, rank) => [mask, position, rank + 1, token, score, sequence])),
  };
}
