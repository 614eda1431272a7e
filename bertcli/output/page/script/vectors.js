// @ts-check
// The drawing of the keys of one query: vectors as strips of colour, the scores and the softmax. The context is that of
// a canvas, or an SvgContext.

import { FONT, pixelCanvas, shortened } from "./canvas.js";
import { about } from "./data.js";
import { share } from "./numbers.js";
import { colour, headColour, polePixels } from "./theme.js";
import { visible } from "./tokens.js";

/**
 * @typedef {object} Key A key with its product with the query.
 * @property {number} key Position of the token.
 * @property {Float32Array} k
 * @property {Float32Array} product
 * @property {number} score
 * @property {number} weight
 *
 * @typedef {object} Frame The places of a row's parts in CSS pixels.
 * @property {number} width
 * @property {number} name Right edge of the token.
 * @property {number} strip Width of a vector.
 * @property {{key: number, product: number}} columns
 * @property {number} score Right edge of the score.
 * @property {number} weight Left edge of the softmax.
 * @property {number} weightWidth
 * @property {"left" | "right"} align
 * @property {number} row Height.
 * @property {number} strips Distance from the top of a row to its vectors.
 *
 * @typedef {object} Content
 * @property {import("./data.js").Text} text
 * @property {number} head
 * @property {Key[]} rows In the order of drawing.
 * @property {number} most The weight of the longest bar.
 * @property {number} precision What a weight of 0 is smaller than.
 * @property {any} query Picture of the query.
 * @property {{key: any, product: any}} pictures A row of pixels for each of the rows.
 */

export const LINE = 26; // height of a row; the style sheet has the same for the list of queries
export const HEADINGS = 54; // height of the headings; the style sheet has the same
const TWO_LINES = 54; // height of a row where the vectors do not fit beside the token
const NARROW = 560; // in a narrower box each row takes two lines

/** @returns {Frame} */
export const layOutKeys = (/** @type {number} */ width) => (width < NARROW ? twoLines(width) : oneLine(width));

function oneLine(/** @type {number} */ width) {
  const name = Math.min(130, width * 0.18);
  const score = 72;
  const weight = Math.min(190, width * 0.24);
  const strip = (width - name - score - weight - 36) / 2;
  const end = name + 8 + 2 * strip + 16 + score;
  return /** @type {Frame} */ ({
    width, name, strip, columns: { key: name + 8, product: name + strip + 20 },
    score: end, weight: end + 12, weightWidth: weight, align: "right", row: LINE, strips: 0,
  });
}

// Place the vectors below the token, its score and its softmax.
function twoLines(/** @type {number} */ width) {
  const strip = (width - 8) / 2;
  const score = width * 0.56;
  return /** @type {Frame} */ ({
    width, name: width * 0.36, strip, columns: { key: 0, product: strip + 8 },
    score, weight: score + 12, weightWidth: width - score - 12, align: "left", row: TWO_LINES, strips: 22,
  });
}

/** Return the names of the columns with their left edge, or their right edge if they end there. */
export function headingsOf(/** @type {Frame} */ { columns, score, weight, strips }) {
  const isNarrow = strips > 0;
  return [
    { text: "query q", edge: isNarrow ? columns.product : columns.key - 8, isRight: !isNarrow, isAbove: true },
    { text: "key k", edge: columns.key, isRight: false, isAbove: false },
    { text: "q × k", edge: columns.product, isRight: false, isAbove: false },
    ...(isNarrow ? [] : [
      { text: "q · k / √d", edge: score, isRight: true, isAbove: false },
      { text: "softmax", edge: weight, isRight: false, isAbove: false },
    ]),
  ];
}

/** Paint the headings, with the query above the keys that it is multiplied with. */
function paintHeadings(context, /** @type {Frame} */ frame, /** @type {any} */ query) {
  context.font = `12px ${FONT}`;
  context.textBaseline = "middle";
  context.fillStyle = colour("muted");
  for (const { text, edge, isRight, isAbove } of headingsOf(frame)) {
    context.textAlign = isRight ? "right" : "left";
    context.fillText(text, edge, isAbove ? LINE / 2 : HEADINGS - 12);
  }
  context.imageSmoothingEnabled = false;
  context.drawImage(query, frame.columns.key, 3, frame.strip, LINE - 6);
}

/** Paint some of the rows. The first row of all is at the top. */
export function paintKeys(
  context,
  /** @type {Frame} */ frame,
  /** @type {Content} */ content,
  first = 0,
  last = content.rows.length,
) {
  context.textBaseline = "middle";
  for (let place = first; place < last; place++) paintKey(context, frame, content, place);
}

function paintKey(
  context,
  /** @type {Frame} */ frame,
  /** @type {Content} */ { text, head, rows, most, precision, pictures },
  /** @type {number} */ place,
) {
  const row = rows[place];
  const y = frame.row * place;
  const middle = y + LINE / 2;
  context.textAlign = frame.align;
  context.fillStyle = colour("ink");
  context.font = `13px ${FONT}`;
  context.fillText(
    shortened(context, visible(text.tokens[row.key]), frame.name - 4),
    frame.align === "right" ? frame.name : 0,
    middle,
  );
  context.imageSmoothingEnabled = false;
  for (const [name, picture] of Object.entries(pictures)) {
    context.drawImage(
      picture,
      0,
      place,
      about.headSize,
      1,
      frame.columns[name],
      y + frame.strips + 3,
      frame.strip,
      LINE - 6,
    );
  }
  context.textAlign = "right";
  context.fillStyle = colour("muted");
  context.font = `12px ${FONT}`;
  context.fillText(row.score.toFixed(2), frame.score, middle);
  context.fillStyle = headColour(head);
  const bar = Math.max(0.5, (frame.weightWidth - 52) * (row.weight / most));
  context.fillRect(frame.weight, y + 7, bar, LINE - 14);
  context.textAlign = "left";
  context.fillStyle = colour("ink");
  context.fillText(share(row.weight, precision), frame.weight + bar + 6, middle);
}

/** @returns {import("./drawings.js").Drawing} All keys of a query, with the headings. */
export function drawingOfKeys(
  /** @type {string} */ title,
  /** @type {Content} */ content,
  /** @type {number} */ width,
) {
  const frame = layOutKeys(width);
  const paint = (context) => {
    paintHeadings(context, frame, content.query);
    context.save();
    context.translate(0, HEADINGS);
    paintKeys(context, frame, content);
    context.restore();
  };
  return { title, width, height: HEADINGS + frame.row * content.rows.length, paint };
}

const largestOf = (/** @type {Float32Array[]} */ vectors) =>
  Math.max(...vectors.map((vector) => vector.reduce((most, number) => Math.max(most, Math.abs(number)), 0)), 1e-9);

/** Return the vectors as one picture: a row of pixels for each. The strongest colour is their largest number. */
export function pictureOf(/** @type {Float32Array[]} */ vectors) {
  const colours = polePixels();
  const largest = largestOf(vectors);
  const pixels = new Uint32Array(vectors.length * about.headSize);
  vectors.forEach((vector, row) => vector.forEach((number, at) => {
    pixels[row * about.headSize + at] = colours[255 + Math.round((255 * number) / largest)];
  }));
  return pixelCanvas(about.headSize, vectors.length, pixels);
}
