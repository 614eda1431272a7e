// A grid of all heads: one row per layer, one column per head, with their numbers at the edges.

// Fill a grid with cells. The Tab key stops only at the cell focused last; the arrow keys move on from it.
function fillGrid(grid, cellOf) {
  grid.style.setProperty("--heads", about.heads);
  grid.style.setProperty("--layers", about.layers);
  const heads = Array.from({ length: about.heads }, (_, head) => head);
  grid.append(make("span", { class: "corner" }), ...heads.map((head) => make("span", { class: "column-name", text: head })));
  for (let layer = 0; layer < about.layers; layer++) {
    grid.append(make("span", { class: "row-name", text: layer }), ...heads.map((head) => cellOf(layer, head)));
  }
  const cells = [...grid.querySelectorAll("[data-layer]")];
  const stopAt = (cell) => cells.forEach((one) => (one.tabIndex = one === cell ? 0 : -1));
  stopAt(cells[0]);
  grid.addEventListener("focusin", (event) => stopAt(event.target));
}

// Move the focus to a neighbouring cell, or to the Tab stop if the focus is outside the grid. Return false if the
// current view has no grid.
function stepCell(layers, heads) {
  const { grid } = currentView();
  if (!grid) return false;
  const stop = grid.querySelector("[tabindex='0']");
  if (document.activeElement !== stop) stop.focus();
  else {
    const layer = within(Number(stop.dataset.layer) + layers, about.layers);
    const head = within(Number(stop.dataset.head) + heads, about.heads);
    grid.querySelector(`[data-layer="${layer}"][data-head="${head}"]`).focus();
  }
  return true;
}

function openHead(layer, head) {
  look({ view: "heads", layer, heads: new Set([head]) });
  window.scrollTo(0, 0);
}

// During a search, dim the heads that do not match.
function dimOthers(grid) {
  const found = foundHeads();
  for (const cell of grid.querySelectorAll("[data-layer]")) {
    cell.classList.toggle("dim", found !== null && !found.has(Number(cell.dataset.layer) * about.heads + Number(cell.dataset.head)));
  }
}
