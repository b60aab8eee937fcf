// What the page cannot do without a script: hints and keys in the chart, filters, folding all.
"use strict";

const byId = (id) => document.getElementById(id);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// The chart ------------------------------------------------------------------------------------

const chart = document.querySelector("#canvas > .chart");
const tip = byId("tip");
const lanes = all("g[data-thread]", chart).map((lane) => all(".span", lane));
let chosen = null;

// The browser's own hints come late and in no shape; what they say is shown by ours.
for (const span of lanes.flat()) span.querySelector("title").remove();

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

// The row of a mark's call.
const rowOf = (span) => byId(`call-${span.dataset.call}`);

function show(span) {
  const row = rowOf(span);
  const cell = (place) => row.cells[place].textContent.trim();
  tip.replaceChildren();
  tip.append(element("b", row.querySelector("b").textContent), ` = ${cell(3)}`);
  tip.append(element("div", `${cell(1)}, at ${cell(0)} ms, took ${cell(4)} ms`));
  tip.append(element("span", row.querySelector(".arguments").textContent, "arguments"));
  tip.hidden = false;
  const mark = span.getBoundingClientRect();
  const frame = byId("canvas").getBoundingClientRect();
  const x = Math.max(mark.left, frame.left);
  const left = Math.min(x, window.innerWidth - tip.offsetWidth - 12);
  const below = mark.bottom + 8;
  const fits = below + tip.offsetHeight < window.innerHeight;
  tip.style.left = `${Math.max(12, left)}px`;
  tip.style.top = `${fits ? below : mark.top - tip.offsetHeight - 8}px`;
}

function hide() {
  tip.hidden = true;
}

function choose(span) {
  chosen?.classList.remove("chosen");
  chosen = span;
  if (!span) return hide();
  span.classList.add("chosen");
  span.scrollIntoView({ block: "nearest", inline: "nearest" });
  show(span);
}

function toRow(span) {
  const row = rowOf(span);
  clearFilters();
  row.scrollIntoView({ block: "center" });
  row.focus({ preventScroll: true });
  hide();
}

chart.addEventListener("pointerover", (event) => {
  const span = event.target.closest(".span");
  if (span) show(span);
  else if (!chosen) hide();
});
chart.addEventListener("pointerleave", () => (chosen ? show(chosen) : hide()));
chart.addEventListener("click", (event) => {
  const span = event.target.closest(".span");
  // A finger has nothing to point with: the first touch shows, the second goes there.
  if (span && span === chosen) toRow(span);
  else choose(span);
});
chart.addEventListener("blur", () => choose(null));
// A step of the keys may scroll: the hint goes along with its mark as long as that can be seen.
window.addEventListener(
  "scroll",
  () => {
    const mark = chosen?.getBoundingClientRect();
    if (mark && mark.bottom > 0 && mark.top < window.innerHeight) show(chosen);
    else hide();
  },
  { passive: true },
);

// The mark of a lane that is nearest in time.
function nearest(lane, span) {
  const x = span.getBoundingClientRect().left;
  const distance = (other) => Math.abs(other.getBoundingClientRect().left - x);
  return lane.reduce((best, other) => (distance(other) < distance(best) ? other : best));
}

chart.addEventListener("keydown", (event) => {
  const filled = lanes.filter((lane) => lane.length > 0);
  if (filled.length === 0) return;
  const lane = Math.max(0, filled.findIndex((spans) => spans.includes(chosen)));
  const place = filled[lane].indexOf(chosen);
  const last = filled[lane].length - 1;
  const steps = {
    ArrowRight: () => filled[lane][Math.min(last, place + 1)],
    ArrowLeft: () => filled[lane][Math.max(0, place - 1)],
    ArrowDown: () => nearest(filled[Math.min(filled.length - 1, lane + 1)], chosen ?? filled[0][0]),
    ArrowUp: () => nearest(filled[Math.max(0, lane - 1)], chosen ?? filled[0][0]),
    Home: () => filled[lane][0],
    End: () => filled[lane][last],
    Escape: () => null,
  };
  if (event.key === "Enter" && chosen) {
    toRow(chosen);
  } else if (steps[event.key]) {
    choose(steps[event.key]());
  } else {
    return;
  }
  event.preventDefault();
});

for (const button of all("[data-zoom]")) {
  button.addEventListener("click", () => {
    chart.style.setProperty("--zoom", button.dataset.zoom);
    for (const other of all("[data-zoom]")) other.setAttribute("aria-pressed", other === button);
    chosen?.scrollIntoView({ block: "nearest", inline: "center" });
  });
}

// The namespace --------------------------------------------------------------------------------

for (const [id, open] of [["unfold", true], ["fold", false]]) {
  byId(id).addEventListener("click", () => {
    for (const branch of all(".tree details")) branch.open = open;
  });
}

// The log --------------------------------------------------------------------------------------

for (const box of all(".levels input")) {
  box.addEventListener("change", () => {
    for (const line of all(`.log [data-level="${box.dataset.level}"]`)) line.hidden = !box.checked;
  });
}

// The calls ------------------------------------------------------------------------------------

const rows = all("#all-calls tr");
const texts = rows.map((row) => row.textContent.toLowerCase());
const filter = byId("filter");
const byProcess = byId("by-process");
const onlyFailed = byId("only-failed");

function applyFilters() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  rows.forEach((row, place) => {
    const shown =
      words.every((word) => texts[place].includes(word)) &&
      (byProcess.value.endsWith("-")
        ? row.dataset.process.startsWith(byProcess.value)
        : ["", row.dataset.process].includes(byProcess.value)) &&
      (!onlyFailed.checked || "failed" in row.dataset);
    row.hidden = !shown;
    count += shown;
  });
  byId("none-shown").hidden = count > 0;
  byId("shown").textContent =
    count === rows.length ? `${rows.length} calls` : `${count} of ${rows.length} calls`;
}

function clearFilters() {
  filter.value = "";
  byProcess.value = "";
  onlyFailed.checked = false;
  applyFilters();
}

let due = 0;
filter.addEventListener("input", () => {
  clearTimeout(due);
  due = setTimeout(applyFilters, 60);
});
byProcess.addEventListener("change", applyFilters);
onlyFailed.addEventListener("change", applyFilters);
for (const button of all("[data-choose]")) {
  button.addEventListener("click", () => {
    clearFilters();
    filter.value = button.dataset.choose;
    applyFilters();
    filter.scrollIntoView({ block: "center" });
  });
}
