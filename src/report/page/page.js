// Draws a document (see document.rs). `cellwright.render(document)` may be called again with a newer one of the same runs: blocks
// that are the same are left alone, and what a reader has chosen (sorting, page, slider, axes, focus) stays.
//
// Nothing here makes markup of text: elements are created, and text is their text.
"use strict";
const cellwright = (() => {
  const kept = new Map(); // what a reader has chosen in a block, by its identifier
  const nodes = new Map(); // the block's element, and the text of its data
  const tables = new Map(); // tables by identifier, for the figures that draw them
  const sliders = new Map(); // where sliders of the same steps stand
  let present = null; // the document

  // --- elements ---------------------------------------------------------------------------------

  const fill = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
      else if (name === "style") Object.assign(node.style, value);
      else node.setAttribute(name, value === true ? "" : value);
    }
    for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
    return node;
  };
  const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  const $ = id => document.getElementById(id);
  const say = text => { $("said").textContent = text; };
  const tip = (text, event) => {
    const box = $("tip");
    box.hidden = !text;
    if (!text) return;
    box.textContent = text;
    const [width, height] = [box.offsetWidth, box.offsetHeight];
    const left = event.clientX + 14 + width > innerWidth ? event.clientX - width - 14 : event.clientX + 14;
    box.style.left = Math.max(4, left) + "px";
    box.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - height - 4)) + "px";
  };
  // A colour of the style sheet as a canvas takes it.
  const resolved = name => {
    const probe = el("span", { style: { color: "var(" + name + ")", display: "none" } });
    document.body.append(probe);
    const color = getComputedStyle(probe).color;
    probe.remove();
    return color;
  };
  const color = at => "var(--s" + (at % 8 + 1) + ")";
  const dashes = ["", "7 3", "2 3", "9 3 2 3", "5 2", "1.5 4", "12 4", "4 4"];
  const dash = at => dashes[at % 8] || null;

  // --- numbers, as written.rs writes them ----------------------------------------------------------

  const whole = value => {
    const text = Math.abs(value).toFixed(0).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
    return value < 0 && text !== "0" ? "−" + text : text;
  };
  const significant = value => {
    const size = Math.abs(value);
    if (value === 0) return "0";
    if (size < 1e-4 || size >= 1e6) return value.toExponential(2).replace("+", "");
    const text = value.toFixed(Math.max(0, 3 - Math.floor(Math.log10(size))));
    return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
  };
  const bytes = value => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    const power = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), 4);
    const scaled = value / 1024 ** power;
    return (power === 0 || scaled >= 100 ? whole(scaled) : scaled.toFixed(1)) + "\u00a0" + units[power];
  };
  const duration = value => {
    const seconds = Math.max(0, Math.round(value)), minutes = Math.floor(seconds / 60), hours = Math.floor(seconds / 3600);
    const two = (a, unit, b, less) => a + "\u00a0" + unit + " " + String(b).padStart(2, "0") + "\u00a0" + less;
    if (!minutes) return seconds + "\u00a0s";
    if (!hours) return two(minutes, "min", seconds % 60, "s");
    return hours < 48 ? two(hours, "h", minutes % 60, "min") : two(Math.floor(hours / 24), "d", hours % 24, "h");
  };
  const written = (value, form, options) => {
    if (typeof value === "string") return value;
    if (value === null || value === undefined) return "–";
    if (form === "share") return (100 * value).toFixed(2) + "\u00a0%";
    if (form === "whole") return whole(value);
    if (form === "seconds") return value >= 100 ? whole(value) + "\u00a0s" : value.toFixed(1) + "\u00a0s";
    if (form === "duration") return duration(value);
    if (form === "bytes") return bytes(value);
    if (form === "choice") return (options && options[value]) ?? "–";
    return significant(value);
  };

  // --- axes -------------------------------------------------------------------------------------

  const steps = (low, high, about) => {
    const rough = (high - low) / about, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= rough * 0.999) || rough;
    const found = [];
    for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9 && found.length < 20; at += 1) found.push(at * step);
    return { step, found };
  };
  const tick = (value, step, form) => {
    const places = by => Math.max(0, Math.min(8, -Math.floor(Math.log10(step * by) + 1e-9)));
    if (form === "share") return (100 * value).toFixed(places(100)) + " %";
    if (form === "bytes") return bytes(value);
    const size = Math.abs(value);
    if (size >= 1e6) return (value / 1e6).toFixed(places(1e-6)) + " M";
    if (size >= 1e4) return (value / 1e3).toFixed(places(1e-3)) + " k";
    if (form === "whole" && Number.isInteger(value)) return whole(value);
    return value.toFixed(places(1));
  };
  const extent = (values, room) => {
    let low = Infinity, high = -Infinity;
    for (const value of values) if (value !== null && value !== undefined) { if (value < low) low = value; if (value > high) high = value; }
    if (low > high) [low, high] = [0, 1];
    if (low === high) { const by = Math.abs(low) * 0.05 || 0.5; return [low - by, high + by]; }
    return [low - (high - low) * room, high + (high - low) * room];
  };
  const scale = ([low, high], [from, to]) => value => from + (value - low) / (high - low) * (to - from);

  // Rules, ticks and names of both axes; y may be left out.
  const axes = (box, x, y) => {
    const group = svg("g", { "aria-hidden": "true" });
    const across = steps(...x.range, Math.max(2, (box.right - box.left) / 85));
    for (const value of across.found) {
      if (x.form === "whole" && !Number.isInteger(+value.toFixed(9))) continue;
      const at = x.at(value);
      if (!y) group.append(svg("line", { class: value === 0 ? "zero" : "grid", x1: at, x2: at, y1: box.top, y2: box.bottom }));
      group.append(svg("text", { class: "tick", x: at, y: box.bottom + 15, "text-anchor": "middle" }, tick(value, across.step, x.form)));
    }
    if (y) {
      const up = steps(...y.range, Math.max(2, (box.bottom - box.top) / 38));
      for (const value of up.found) {
        if (y.form === "whole" && !Number.isInteger(+value.toFixed(9))) continue;
        const at = y.at(value);
        group.append(svg("line", { class: value === 0 ? "zero" : "grid", x1: box.left, x2: box.right, y1: at, y2: at }));
        group.append(svg("text", { class: "tick", x: box.left - 7, y: at + 4, "text-anchor": "end" }, tick(value, up.step, y.form)));
      }
      group.append(svg("text", { class: "axis-name", x: 0, y: box.top - 10 }, y.label));
    }
    group.append(svg("text", { class: "axis-name", x: box.right, y: box.bottom + 32, "text-anchor": "end" }, x.label));
    return group;
  };
  const sheet = (width, height, label, focusable) =>
    svg("svg", { viewBox: "0 0 " + width + " " + height, width, height, role: "img", "aria-label": label, tabindex: focusable ? "0" : null });

  // --- plots: (figure, place to draw, what is kept) -------------------------------------------------

  const chart = (figure, host, keep, tall) => {
    const { series } = figure, width = Math.max(host.clientWidth, 260), height = tall || Math.max(210, Math.min(300, width * 0.52));
    const box = { left: 54, right: width - 10, top: 22, bottom: height - 38 };
    const xs = extent(series.flatMap(s => s.x), 0), ys = extent(series.flatMap(s => s.low ? s.low.concat(s.high) : s.y), 0.05);
    const x = { ...figure.x, range: xs, at: scale(xs, [box.left, box.right]) };
    const y = { ...figure.y, range: ys, at: scale(ys, [box.bottom, box.top]) };
    const ends = series.map(s => s.name + " from " + written(s.y[0], y.form) + " to " + written(s.y[s.y.length - 1], y.form));
    const node = sheet(width, height, figure.title + ": " + y.label + " by " + x.label + "; " + ends.join("; ") + ". Arrow keys read points.", true);
    node.append(axes(box, x, y));
    series.forEach((s, at) => {
      const point = (px, py) => x.at(px).toFixed(1) + " " + y.at(py).toFixed(1);
      if (s.low) {
        const there = s.x.map((px, k) => point(px, s.high[k])), back = s.x.map((px, k) => point(px, s.low[k])).reverse();
        node.append(svg("path", { d: "M" + there.concat(back).join("L") + "Z", style: { fill: color(at), opacity: "0.2" } }));
      }
      const style = { fill: "none", stroke: color(at), strokeWidth: "2", strokeLinejoin: "round", strokeDasharray: dash(at) || "none" };
      node.append(svg("path", { class: "line", d: "M" + s.x.map((px, k) => point(px, s.y[k])).join("L"), style }));
      if (s.x.length === 1) node.append(svg("circle", { cx: x.at(s.x[0]), cy: y.at(s.y[0]), r: 4, style: { fill: color(at) } }));
    });
    const cursor = svg("g", { "aria-hidden": "true" });
    node.append(cursor);
    const all = [...new Set(series.flatMap(s => s.x))].sort((a, b) => a - b);
    const nearest = (list, value) => {
      let [from, to] = [0, list.length - 1];
      while (to - from > 1) { const middle = (from + to) >> 1; if (list[middle] < value) from = middle; else to = middle; }
      return Math.abs(list[from] - value) <= Math.abs(list[to] - value) ? from : to;
    };
    const read = at => {
      const px = all[at], said = [x.label + " " + written(px, x.form)];
      cursor.replaceChildren(svg("line", { class: "cursor", x1: x.at(px), x2: x.at(px), y1: box.top, y2: box.bottom }));
      series.forEach((s, k) => {
        const near = nearest(s.x, px);
        if (!s.x.length || Math.abs(x.at(s.x[near]) - x.at(px)) > 6) return;
        cursor.append(svg("circle", { cx: x.at(s.x[near]), cy: y.at(s.y[near]), r: 3.5, style: { fill: color(k) } }));
        said.push(s.name + " " + written(s.y[near], y.form));
      });
      keep.at = px;
      return said;
    };
    node.addEventListener("pointermove", event => {
      const bounds = node.getBoundingClientRect(), at = (event.clientX - bounds.left) / bounds.width * width;
      tip(read(nearest(all, xs[0] + (at - box.left) / (box.right - box.left) * (xs[1] - xs[0]))).join("\n"), event);
    });
    const leave = () => { cursor.replaceChildren(); tip(""); };
    node.addEventListener("pointerleave", leave);
    node.addEventListener("blur", leave);
    node.addEventListener("keydown", event => {
      const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      const from = keep.at === undefined ? 0 : nearest(all, keep.at) + by;
      say(read(Math.max(0, Math.min(all.length - 1, from))).join(", "));
    });
    const legend = series.length < 2 ? null : el("ul", { class: "legend" }, series.map((s, at) => el("li", {},
      svg("svg", { width: 26, height: 10, "aria-hidden": "true" }, svg("line", { x1: 0, x2: 26, y1: 5, y2: 5, style: { stroke: color(at), strokeWidth: "2.5", strokeDasharray: dash(at) || "none" } })),
      s.name)));
    host.replaceChildren(...[legend, node].filter(part => part));
  };
  const lines = (figure, host, keep) => chart(figure, host, keep);

  // Rows of something along one axis: names left, drawn by `draw(row, y)`.
  const rowed = (figure, host, range, names, values, draw, keepZero) => {
    const width = Math.max(host.clientWidth, 260);
    const longest = Math.max(...names.map(name => name.length)) * 6.7 + 14;
    const above = longest > width * 0.42, step = above ? 46 : 30;
    const box = { left: above ? 6 : longest, right: width - Math.max(66, Math.max(...values.map(value => value.length)) * 7.4 + 14), top: 6, bottom: 6 + step * names.length };
    const x = { ...figure.axis, range, at: scale(range, [box.left + (keepZero ? 0 : 8), box.right]) };
    const node = sheet(width, box.bottom + 38, figure.title + ": " + names.map((name, k) => name + " " + values[k]).join("; "));
    node.append(axes(box, x));
    names.forEach((name, k) => {
      const middle = box.top + step * (k + 0.5) + (above ? 9 : 0);
      node.append(svg("text", above ? { x: box.left, y: middle - 14 } : { x: box.left - 9, y: middle + 4, "text-anchor": "end" }, name));
      node.append(...draw(k, middle, x.at));
      node.append(svg("text", { x: box.right + 9, y: middle + 4, "font-weight": "600" }, values[k]));
    });
    host.replaceChildren(node);
  };
  const intervals = (figure, host) => {
    const { rows } = figure, range = extent(rows.flatMap(row => [row.value, row.low, row.high]), 0.06);
    rowed(figure, host, range, rows.map(row => row.name), rows.map(row => written(row.value, figure.axis.form)), (k, y, at) => {
      const row = rows[k], stroke = row.emphasis ? "var(--s1)" : "var(--s8)", parts = [];
      if (row.low !== null) {
        parts.push(svg("line", { x1: at(row.low), x2: at(row.high), y1: y, y2: y, style: { stroke, strokeWidth: "3", strokeLinecap: "round", opacity: "0.55" } }));
      }
      parts.push(svg("circle", { class: "point", cx: at(row.value), cy: y, r: row.emphasis ? 7 : 5.5, style: { fill: stroke } }));
      return parts;
    });
  };
  const dots = (figure, host) => {
    const { rows } = figure, range = extent(rows.flatMap(row => row.values), 0.06);
    const value = row => (100 * row.mean).toFixed(2) + (row.deviation === null ? "" : " ± " + (100 * row.deviation).toFixed(2));
    rowed(figure, host, range, rows.map(row => row.name), rows.map(value), (k, y, at) => {
      const row = rows[k], stroke = row.yardstick ? "var(--s8)" : "var(--s1)", parts = [];
      if (row.deviation !== null) {
        parts.push(svg("rect", { x: at(row.mean - row.deviation), width: Math.max(1, at(row.mean + row.deviation) - at(row.mean - row.deviation)), y: y - 6, height: 12, rx: 3, style: { fill: stroke, opacity: "0.22" } }));
      }
      row.values.forEach(v => parts.push(svg("circle", { class: "point", cx: at(v), cy: y, r: 4.5, style: { fill: stroke, opacity: "0.75" } })));
      parts.push(svg("line", { x1: at(row.mean), x2: at(row.mean), y1: y - 10, y2: y + 10, style: { stroke: "var(--ink)", strokeWidth: "2" } }));
      return parts;
    });
  };
  const bars = (figure, host) => {
    const { rows } = figure, range = [0, Math.max(1e-9, ...rows.map(row => row[1])) * 1.05];
    rowed(figure, host, range, rows.map(row => row[0]), rows.map(row => written(row[1], figure.axis.form)), (k, y, at) =>
      [svg("rect", { class: "point", x: at(0), width: Math.max(0.5, at(rows[k][1]) - at(0)), y: y - 8, height: 16, rx: 2, style: { fill: k ? "var(--s8)" : "var(--s1)" } })], true);
  };

  // --- sliders that move together -----------------------------------------------------------------

  const key = figure => figure.steps.join("\n");
  const stood = figure => Math.min(sliders.get(key(figure)) ?? figure.steps.length - 1, figure.steps.length - 1);
  const slider = (figure, controls, keep) => {
    const last = figure.steps.length - 1;
    if (!keep.slider) {
      keep.output = el("output", {});
      keep.slider = el("input", { type: "range", min: 0, step: 1, "aria-label": figure.title + ": step", on: { input: () => {
        sliders.set(key(keep.figure), +keep.slider.value);
        for (const [id, { figure: other }] of [...kept]) if (other && other.steps && key(other) === key(keep.figure)) draw(id);
      } } });
      keep.play = el("button", { type: "button", class: "tool", on: { click: () => {
        if (keep.timer) { clearInterval(keep.timer); keep.timer = null; keep.play.textContent = "Play"; return; }
        if (stood(keep.figure) === keep.figure.steps.length - 1) sliders.set(key(keep.figure), 0);
        keep.play.textContent = "Stop";
        keep.timer = setInterval(() => {
          const next = stood(keep.figure) + 1;
          if (next >= keep.figure.steps.length) { clearInterval(keep.timer); keep.timer = null; keep.play.textContent = "Play"; return; }
          keep.slider.value = next;
          keep.slider.dispatchEvent(new Event("input"));
        }, 350);
      } } }, "Play");
      controls.append(el("label", {}, keep.slider, keep.output), keep.play);
    }
    keep.slider.max = last;
    keep.slider.value = stood(figure);
    keep.slider.setAttribute("aria-valuetext", figure.steps[stood(figure)]);
    keep.output.textContent = figure.steps[stood(figure)];
    const single = last < 1;
    [keep.slider.parentElement, keep.play].forEach(part => { part.hidden = single; });
  };

  const heat = (figure, host, keep, controls) => {
    const { rows, columns } = figure, step = stood(figure), now = figure.values[step], chosen = figure.chosen[step] || [];
    slider(figure, controls, keep);
    if (!keep.row) {
      keep.row = el("select", { on: { change: () => draw(figure.id) } });
      controls.append(el("label", {}, "row", keep.row));
    }
    if (keep.row.options.length !== rows.length) keep.row.replaceChildren(...rows.map((name, at) => el("option", { value: at }, name)));
    const width = Math.max(host.clientWidth, 260), left = Math.min(Math.max(width * 0.34, 150), Math.max(...rows.map(name => name.length)) * 6.6 + 10);
    const beyond = Math.min(56, Math.max(...columns.map(name => name.length)) * 4), cell = Math.max(16, (width - left - beyond) / columns.length), size = 21, top = 78;
    const full = left + cell * columns.length + beyond, most = Math.max(1, ...figure.values.flat());
    const node = sheet(full, top + size * rows.length + 4, figure.title + ", " + figure.steps[step] + ": " +
      rows.map((name, r) => { const of = now.slice(r * columns.length, (r + 1) * columns.length), at = of.indexOf(Math.max(...of)); return name + " most " + columns[at] + " " + (of[at] / 1000).toFixed(2); }).join("; "));
    columns.forEach((name, c) => {
      const at = left + cell * (c + 0.5);
      node.append(svg("text", { class: "tick", x: at, y: top - 8, transform: "rotate(-38 " + at + " " + (top - 8) + ")" }, name));
    });
    rows.forEach((name, r) => {
      const y = top + size * r;
      node.append(svg("text", { class: "tick", x: left - 7, y: y + 14.5, "text-anchor": "end" }, name));
      columns.forEach((option, c) => {
        const weight = now[r * columns.length + c], share = Math.round(100 * weight / most);
        const square = svg("rect", { class: "point", x: left + cell * c + 0.5, y: y + 0.5, width: cell - 1, height: size - 1, style: { fill: "color-mix(in oklab, var(--heat-1) " + share + "%, var(--heat-0))" } });
        square.addEventListener("pointermove", event => tip(name + "\n" + option + " " + (weight / 1000).toFixed(3), event));
        square.addEventListener("pointerleave", () => tip(""));
        square.addEventListener("click", () => { keep.row.value = r; draw(figure.id); });
        node.append(square);
        if (chosen[r] === c) node.append(svg("circle", { cx: left + cell * c + 8, cy: y + size / 2, r: 3.2, style: { fill: "var(--ink)", pointerEvents: "none" } }));
        if (cell >= 44) node.append(svg("text", { class: "in-cell", x: left + cell * (c + 0.5) + 4, y: y + 14.5, "text-anchor": "middle", style: { fontSize: "10.5px", pointerEvents: "none" } }, (weight / 1000).toFixed(2).replace(/^0/, "")));
      });
    });
    const row = Math.min(+keep.row.value || 0, rows.length - 1);
    node.append(svg("rect", { x: left - 0.5, y: top + size * row - 0.5, width: cell * columns.length + 1, height: size + 1, style: { fill: "none", stroke: "var(--ink)", strokeWidth: "1.4", pointerEvents: "none" } }));
    const over = el("div", {}), one = { title: figure.title + ", " + rows[row], x: { label: "epoch", form: "whole" }, y: { label: "weight, " + rows[row], form: "number" },
      series: columns.map((name, c) => ({ name, x: figure.steps.map((name, at) => parseInt(name.replace(/\D+/, ""), 10) || at + 1), y: figure.values.map(values => values[row * columns.length + c] / 1000) })) };
    keep.over = keep.over || {};
    host.replaceChildren(el("div", { class: "scroll" }, node), over);
    if (figure.steps.length > 1) chart(one, over, keep.over, 220);
  };

  const drawing = data => {
    const [width, height] = data.size;
    const node = svg("svg", { class: "drawing", viewBox: "0 0 " + width + " " + height, width, height, role: "img",
      "aria-label": data.title + ": " + data.arrows.filter(a => a.label).map(a => a.label.text[0]).join(", ") });
    const placed = (part, size) => {
      const [x, y, w, h] = part.at, text = svg("text", { class: "on " + part.tone, x: x + w / 2, y: y + h / 2 + size * 0.35, "text-anchor": "middle", style: { fontSize: size + "px" } }, part.text[0]);
      if (part.text[1]) text.append(svg("tspan", { dy: 4, style: { fontSize: "10px" } }, part.text[1]));
      node.append(svg("rect", { class: "box " + part.tone, x, y, width: w, height: h, rx: size < 13 ? h / 2 : 7 }), text);
    };
    for (const arrow of data.arrows) node.append(svg("path", { class: "arrow " + arrow.tone, d: arrow.line }), svg("path", { class: "head " + arrow.tone, d: arrow.head }));
    for (const arrow of data.arrows) if (arrow.label) placed(arrow.label, 12);
    for (const block of data.boxes) placed(block, 14);
    return node;
  };
  const cells = (figure, host, keep, controls) => {
    slider(figure, controls, keep);
    if (!keep.changed) controls.append(keep.changed = el("span", { class: "note" }));
    const step = stood(figure), changed = figure.changed[step];
    keep.changed.textContent = figure.steps.length < 2 || step === 0 ? "" : changed === 0 ? "as the step before" : changed + (changed === 1 ? " decision" : " decisions") + " changed";
    host.replaceChildren(el("div", { class: "cells" }, figure.drawings[figure.shown[step]].map(data => el("div", {}, el("p", { class: "name" }, data.title), drawing(data)))));
  };

  // --- what is drawn of a table ---------------------------------------------------------------------

  const choose = (id, row) => {
    const keep = kept.get(id);
    keep.chosen = keep.chosen === row ? null : row;
    draw(id);
    for (const [other, { figure }] of [...kept]) if (figure && figure.table === id) draw(other);
  };
  const describe = (table, row) => table.columns.map((column, at) => [column, table.rows[row][at]])
    .filter(([column, value]) => !column.hidden && value !== null && value !== "").map(([column, value]) => column.name + " " + written(value, column.form, column.options)).join("\n");
  const surface = (width, height) => {
    const ratio = Math.min(devicePixelRatio || 1, 2), canvas = el("canvas", { width: width * ratio, height: height * ratio, "aria-hidden": "true", style: { width: width + "px" } });
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    return [canvas, pen];
  };

  const scatter = (figure, host, keep, controls) => {
    const table = tables.get(figure.table);
    if (!table) return;
    const usable = table.columns.map((column, at) => [column, at]).filter(([column]) => column.form !== "text");
    if (!keep.axes) {
      keep.axes = ["x", "y"].map(name => el("select", { on: { change: () => draw(figure.id) } }));
      controls.append(el("label", {}, "across", keep.axes[0]), el("label", {}, "upwards", keep.axes[1]), keep.front = el("span", { class: "note" }));
    }
    keep.axes.forEach((select, k) => {
      if (select.options.length === usable.length) return;
      const before = select.value === "" ? [figure.x, figure.y][k] : select.value;
      select.replaceChildren(...usable.map(([column, at]) => el("option", { value: at }, column.name)));
      select.value = before;
    });
    const [cx, cy] = keep.axes.map(select => +select.value), [x, y] = [cx, cy].map(at => table.columns[at]);
    const points = [];
    table.rows.forEach((row, at) => { if (typeof row[cx] === "number" && typeof row[cy] === "number") points.push([row[cx], row[cy], at]); });
    const width = Math.max(host.clientWidth, 260), height = Math.max(260, Math.min(420, width * 0.48));
    const box = { left: 60, right: width - 12, top: 22, bottom: height - 38 };
    const [xs, ys] = [extent(points.map(p => p[0]), 0.04), extent(points.map(p => p[1]), 0.05)];
    const px = { label: x.name, form: x.form === "choice" ? "whole" : x.form, range: xs, at: scale(xs, [box.left, box.right]) };
    const py = { label: y.name, form: y.form === "choice" ? "whole" : y.form, range: ys, at: scale(ys, [box.bottom, box.top]) };
    // Of two axes of which it is known what is better.
    let front = [];
    if (x.better && y.better && cx !== cy) {
      const sign = column => column.better === "more" ? -1 : 1;
      let least = Infinity;
      for (const point of [...points].sort((a, b) => sign(x) * (a[0] - b[0]) || sign(y) * (a[1] - b[1]))) {
        if (sign(y) * point[1] < least) { least = sign(y) * point[1]; front.push(point); }
      }
    }
    keep.front.textContent = front.length ? front.length + " of " + whole(points.length) + " on the front" : whole(points.length) + " points";
    const node = sheet(width, height, figure.title + ": " + points.length + " points, " + y.name + " by " + x.name + (front.length ? "; on the front: " + front.slice(0, 12).map(p => written(p[0], x.form, x.options) + " and " + written(p[1], y.form, y.options)).join("; ") : ""));
    node.append(axes(box, px, py));
    const [canvas, pen] = surface(width, height);
    pen.fillStyle = resolved("--s1");
    pen.globalAlpha = points.length > 2000 ? 0.35 : 0.65;
    const radius = points.length > 2000 ? 2.2 : 4;
    for (const [a, b] of points) { pen.beginPath(); pen.arc(px.at(a), py.at(b), radius, 0, 7); pen.fill(); }
    if (front.length) {
      node.append(svg("path", { class: "line", d: "M" + front.map(p => px.at(p[0]).toFixed(1) + " " + py.at(p[1]).toFixed(1)).join("L"), style: { fill: "none", stroke: "var(--s2)", strokeWidth: "2" } }));
      front.forEach(p => node.append(svg("circle", { cx: px.at(p[0]), cy: py.at(p[1]), r: 4.5, style: { fill: "var(--s2)" } })));
    }
    // A few are named, where rows have names.
    if (points.length <= 24 && table.columns[0].form === "text") {
      for (const [a, b, at] of points) {
        const x = px.at(a), end = x > (box.left + box.right) / 2;
        node.append(svg("text", { class: "tick", x: end ? x - 8 : x + 8, y: py.at(b) - 6, "text-anchor": end ? "end" : "start" }, written(table.rows[at][0], "text")));
      }
    }
    const chosen = kept.get(figure.table)?.chosen, at = points.find(p => p[2] === chosen);
    if (at) node.append(svg("circle", { cx: px.at(at[0]), cy: py.at(at[1]), r: 9, style: { fill: "none", stroke: "var(--ink)", strokeWidth: "2.5" } }));
    const near = event => {
      const bounds = node.getBoundingClientRect(), by = width / bounds.width, [mx, my] = [(event.clientX - bounds.left) * by, (event.clientY - bounds.top) * by];
      let [best, least] = [null, 250];
      for (const p of points) { const d = (px.at(p[0]) - mx) ** 2 + (py.at(p[1]) - my) ** 2; if (d < least) [best, least] = [p, d]; }
      return best;
    };
    node.addEventListener("pointermove", event => { const p = near(event); tip(p ? describe(table, p[2]) : "", event); });
    node.addEventListener("pointerleave", () => tip(""));
    node.addEventListener("click", event => { const p = near(event); if (p) choose(figure.table, p[2]); });
    host.dataset.points = points.length;
    host.replaceChildren(canvas, node);
  };

  const parallel = (figure, host, keep, controls) => {
    const table = tables.get(figure.table);
    if (!table) return;
    if (!keep.share) {
      keep.share = el("input", { type: "range", min: 1, max: 100, value: 20, on: { input: () => draw(figure.id) } });
      keep.told = el("output", {});
      controls.append(el("label", {}, "the best", keep.share, keep.told));
    }
    const { axes: shown, color: by } = figure, sign = table.columns[by].better === "less" ? -1 : 1;
    const rows = table.rows.map((row, at) => at).filter(at => shown.every(c => typeof table.rows[at][c] === "number")).sort((a, b) => sign * (table.rows[a][by] - table.rows[b][by]));
    const best = Math.max(1, Math.round(rows.length * keep.share.value / 100));
    keep.told.textContent = keep.share.value + " % (" + best + ")";
    keep.share.setAttribute("aria-valuetext", keep.told.textContent);
    const width = Math.max(host.parentElement.clientWidth, 86 * shown.length), height = 330, top = 66, bottom = height - 14;
    const place = k => 50 + k * (width - 120) / Math.max(1, shown.length - 1);
    const scales = shown.map(c => {
      const column = table.columns[c];
      if (column.form === "choice") return scale([-0.5, column.options.length - 0.5], [bottom, top]);
      return scale(extent(table.rows.map(row => row[c]).filter(v => typeof v === "number"), 0.02), [bottom, top]);
    });
    const node = sheet(width, height, figure.title + ": " + rows.length + " lines through " + shown.map(c => table.columns[c].name).join(", "));
    const [canvas, pen] = surface(width, height);
    const stroke = (list, style, alpha, thick) => {
      [pen.strokeStyle, pen.globalAlpha, pen.lineWidth] = [style, alpha, thick];
      for (const at of list) {
        pen.beginPath();
        shown.forEach((c, k) => { const y = scales[k](table.rows[at][c]); if (k) pen.bezierCurveTo((place(k - 1) + place(k)) / 2, scales[k - 1](table.rows[at][shown[k - 1]]), (place(k - 1) + place(k)) / 2, y, place(k), y); else pen.moveTo(place(k), y); });
        pen.stroke();
      }
    };
    const many = rows.length > 1500;
    stroke(many ? rows.slice(0, -best).filter((_, k) => k % Math.ceil(rows.length / 1500) === 0) : rows.slice(0, -best), resolved("--s8"), many ? 0.12 : 0.3, 1);
    stroke(rows.slice(-best), resolved("--s1"), best > 200 ? 0.25 : 0.75, best > 200 ? 1 : 1.8);
    const chosen = kept.get(figure.table)?.chosen;
    if (rows.includes(chosen)) stroke([chosen], resolved("--s2"), 1, 3.5);
    shown.forEach((c, k) => {
      const column = table.columns[c], x = place(k);
      node.append(svg("line", { class: "zero", x1: x, x2: x, y1: top, y2: bottom }));
      node.append(svg("text", { class: "axis-name", x, y: top - 14, transform: "rotate(-24 " + x + " " + (top - 14) + ")" }, column.name));
      const label = (y, text) => node.append(svg("text", { class: "tick", x: x + 5, y: y + 4, style: { paintOrder: "stroke", stroke: "var(--paper)", strokeWidth: "3px" } }, text));
      if (column.form === "choice") column.options.forEach((name, o) => { if (column.options.length <= 14) label(scales[k](o), name); });
      else { const values = table.rows.map(row => row[c]).filter(v => typeof v === "number"), [low, high] = [Math.min(...values), Math.max(...values)]; label(scales[k](low), written(low, column.form)); if (high > low) label(scales[k](high), written(high, column.form)); }
    });
    host.dataset.points = rows.length;
    host.replaceChildren(canvas, node);
  };

  const matrix = (figure, host) => {
    const { classes, counts } = figure, count = classes.length, width = Math.min(Math.max(host.clientWidth, 260), 620);
    const named = count <= 40, left = named ? Math.min(width * 0.3, Math.max(...classes.map(name => name.length)) * 6.4 + 12) : 22;
    const size = (width - left - 4) / count, top = named ? Math.min(110, Math.max(...classes.map(name => name.length)) * 4.6 + 34) : 22;
    const of = new Array(count).fill(0);
    counts.forEach(([row, , n]) => { of[row] += n; });
    const wrong = counts.filter(([a, b]) => a !== b).reduce((sum, [, , n]) => sum + n, 0);
    const node = sheet(width, top + size * count + 4, figure.title + ": " + count + " classes, " + whole(wrong) + " images taken for another class");
    node.append(svg("text", { class: "axis-name", x: left, y: 11 }, "taken for →"));
    const [canvas, pen] = surface(width, top + size * count + 4), draws = count > 50;
    if (draws) pen.fillStyle = resolved("--panel");
    if (draws) pen.fillRect(left, top, size * count, size * count);
    else node.append(svg("rect", { x: left, y: top, width: size * count, height: size * count, style: { fill: "var(--heat-0)" } }));
    const base = draws ? ["--heat-1", "--miss-1"].map(resolved) : null;
    counts.forEach(([row, column, n]) => {
      const share = Math.sqrt(n / of[row]), [x, y] = [left + size * column, top + size * row], hue = row === column ? "--heat-1" : "--miss-1";
      if (draws) { pen.globalAlpha = Math.max(0.15, share); pen.fillStyle = base[row === column ? 0 : 1]; pen.fillRect(x, y, size, size); return; }
      const square = svg("rect", { class: "point", x: x + 0.5, y: y + 0.5, width: size - 1, height: size - 1, style: { fill: "color-mix(in oklab, var(" + hue + ") " + Math.max(18, Math.round(100 * share)) + "%, var(--heat-0))" } });
      square.addEventListener("pointermove", event => tip(classes[row] + " taken for " + classes[column] + ": " + whole(n) + " of " + whole(of[row]), event));
      square.addEventListener("pointerleave", () => tip(""));
      node.append(square);
      if (size >= 21) node.append(svg("text", { class: "in-cell", x: x + size / 2, y: y + size / 2 + 3.8, "text-anchor": "middle", style: { fontSize: "10.5px", pointerEvents: "none" } }, whole(n)));
    });
    if (named) classes.forEach((name, at) => {
      const middle = size * (at + 0.5), short = name.length > 22 ? name.slice(0, 21) + "…" : name;
      if (size >= 8) node.append(svg("text", { class: "tick", x: left - 6, y: top + middle + 4, "text-anchor": "end" }, short));
      const x = left + middle;
      if (size >= 8) node.append(svg("text", Math.max(...classes.map(n => n.length)) <= 2 ? { class: "tick", x, y: top - 6, "text-anchor": "middle" } : { class: "tick", x: x + 3, y: top - 5, transform: "rotate(-40 " + (x + 3) + " " + (top - 5) + ")" }, short));
    });
    host.dataset.points = counts.length;
    host.replaceChildren(...(draws ? [canvas, node] : [node]));
  };

  const plots = { lines, intervals, dots, bars, heat, cells, scatter, parallel, matrix };

  // --- the numbers of a figure as a table -------------------------------------------------------------

  const numbers = figure => {
    if (figure.plot === "lines") {
      const all = [...new Set(figure.series.flatMap(s => s.x))].sort((a, b) => a - b);
      const of = figure.series.map(s => new Map(s.x.map((x, k) => [x, s.y[k]])));
      return [[figure.x.label, ...figure.series.map(s => s.name)], all.map(x => [written(x, figure.x.form), ...of.map(map => written(map.get(x), figure.y.form))])];
    }
    if (figure.plot === "heat") {
      const now = figure.values[stood(figure)], count = figure.columns.length;
      return [[figure.steps[stood(figure)], ...figure.columns], figure.rows.map((name, r) => [name, ...now.slice(r * count, (r + 1) * count).map(w => (w / 1000).toFixed(3))])];
    }
    if (figure.plot === "bars") return [["", figure.axis.label], figure.rows.map(([name, value]) => [name, written(value, figure.axis.form)])];
    if (figure.plot === "dots") return [["", figure.axis.label], figure.rows.map(row => [row.name, row.values.map(v => written(v, figure.axis.form)).join(", ")])];
    return null;
  };
  const tabled = ([heads, rows]) => el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, heads.map(head => el("th", { scope: "col" }, head)))),
    el("tbody", {}, rows.map(row => el("tr", {}, row.map((value, at) => at ? el("td", { class: "n" }, value) : el("th", { scope: "row" }, value)))))));

  // --- blocks -----------------------------------------------------------------------------------------

  const width = new WeakMap();
  // What is drawn may change the widths of others: not while these are told.
  const observer = new ResizeObserver(entries => setTimeout(() => entries.forEach(({ target, contentRect }) => {
    if (Math.abs((width.get(target) || 0) - contentRect.width) < 1) return;
    width.set(target, contentRect.width);
    draw(target.dataset.of);
  })));

  const figureNode = block => {
    const keep = kept.get(block.id);
    keep.host = el("div", { class: "plot", "data-of": block.id });
    keep.controls = el("div", { class: "controls" });
    keep.heading = el("h3", {});
    keep.caption = el("figcaption", {});
    keep.details = numbers(block) && el("details", { on: { toggle: () => draw(block.id) } }, el("summary", {}, "The numbers"), keep.listed = el("div", {}));
    observer.observe(keep.host);
    const wide = ["cells", "scatter", "parallel"].includes(block.plot) ? "wide " : "";
    return el("figure", { id: block.id, class: wide + block.plot }, keep.heading, keep.controls, keep.host, keep.caption, keep.details);
  };

  const tableNode = block => {
    const keep = kept.get(block.id);
    keep.sort = keep.sort || null;
    keep.page = 0;
    keep.controls = el("div", { class: "controls" });
    keep.body = el("div", { class: "scroll", tabindex: "-1" });
    keep.pages = el("div", { class: "controls" });
    return el("div", { class: "table", id: block.id }, keep.controls, keep.body, keep.pages);
  };
  const perPage = 25;
  // What is said of the rows that are chosen, and where all of them are one page. An address must not be too long for a server.
  const beside = (block, keep) => {
    const { from, to, most } = block.together, chosen = block.links.filter(link => keep.picked.has(link));
    const address = to + chosen.map(link => link.slice(from.length)).join(","), many = chosen.length > most || address.length > 12000;
    keep.picked = new Set(chosen);
    keep.opens.hidden = chosen.length < 2 || many;
    keep.opens.setAttribute("href", address);
    keep.opens.textContent = "Open " + chosen.length + " side by side";
    keep.hint.textContent = many ? "too many are chosen: " + most + " at most" : chosen.length > 1 ? "" : chosen.length ? "choose another to see both side by side" : "choose rows to see them side by side";
  };
  const drawTable = (block, keep) => {
    const { columns, rows } = block, hides = columns.some(column => column.hidden);
    if (hides && !keep.all) {
      keep.all = el("input", { type: "checkbox", on: { change: () => draw(block.id) } });
      keep.controls.append(el("label", {}, keep.all, "all columns"));
    }
    if ((rows.length > perPage || block.links) && !keep.search) {
      keep.search = el("input", { type: "search", "aria-label": "Rows of " + block.caption + " that hold", placeholder: "rows that hold …", on: { input: () => { keep.page = 0; draw(block.id); } } });
      keep.controls.append(keep.search);
    }
    if (block.together && !keep.picked) {
      keep.picked = new Set();
      keep.hint = el("span", { class: "note", role: "status" });
      keep.opens = el("a", { class: "tool" });
      keep.controls.append(keep.hint, keep.opens);
    }
    if (block.together) beside(block, keep);
    const shown = columns.map((column, at) => at).filter(at => !columns[at].hidden || keep.all?.checked);
    const sought = (keep.search?.value || "").toLowerCase();
    let order = rows.map((row, at) => at);
    if (sought) order = order.filter(at => shown.some(c => written(rows[at][c], columns[c].form, columns[c].options).toLowerCase().includes(sought)));
    if (keep.sort) {
      const { column, down } = keep.sort, text = columns[column].form === "text", sign = down ? -1 : 1;
      const options = columns[column].options, value = at => options && options.length ? options[rows[at][column]] : rows[at][column];
      order.sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === null || x === undefined || y === null || y === undefined) return (x === null || x === undefined) - (y === null || y === undefined) || a - b;
        return sign * (text || typeof x === "string" ? String(x).localeCompare(String(y), "en", { numeric: true }) : x - y) || a - b;
      });
    }
    const pages = Math.max(1, Math.ceil(order.length / perPage));
    if (keep.follow !== undefined && keep.follow !== null) { const at = order.indexOf(keep.follow); if (at >= 0) keep.page = Math.floor(at / perPage); keep.follow = null; }
    keep.page = Math.min(keep.page, pages - 1);
    const focus = document.activeElement?.dataset?.focus, inside = keep.body.contains(document.activeElement), scrolled = keep.body.scrollLeft;
    const drawn = [...kept.values()].some(({ figure }) => figure && figure.table === block.id);
    const head = at => {
      const sorted = keep.sort?.column === at ? (keep.sort.down ? "descending" : "ascending") : "none";
      const button = el("button", { type: "button", "data-focus": "column " + at, on: { click: () => {
        // Numbers begin with what is better or more.
        const first = columns[at].form !== "text" && columns[at].form !== "choice" && columns[at].better !== "less" && at !== 0;
        keep.sort = keep.sort?.column !== at ? { column: at, down: first } : keep.sort.down === first ? { column: at, down: !first } : null;
        keep.page = 0;
        draw(block.id);
        say("sorted by " + columns[at].name + ": " + (keep.sort ? keep.sort.down ? "descending" : "ascending" : "as they came"));
      } } }, columns[at].name, el("span", { class: "way", "aria-hidden": "true" }, sorted === "none" ? "" : sorted === "ascending" ? "▲" : "▼"));
      return el("th", { scope: "col", "aria-sort": sorted, class: columns[at].form === "text" ? null : "n" }, button);
    };
    const pick = at => el("td", { class: "s" }, el("input", { type: "checkbox", checked: keep.picked.has(block.links[at]), "data-focus": "pick " + block.links[at], "aria-label": "side by side: " + rows[at][0],
      on: { change: event => { keep.picked[event.target.checked ? "add" : "delete"](block.links[at]); beside(block, keep); } } }));
    const row = at => el("tr", { class: at === keep.chosen ? "chosen" : block.marked?.includes(at) ? "marked" : null }, block.together ? pick(at) : null, shown.map((c, k) => {
      const value = written(rows[at][c], columns[c].form, columns[c].options);
      const side = columns[c].form !== "text" && columns[c].form !== "choice" ? "n" : value.length <= 28 ? "s" : null;
      if (k) return el("td", { class: side }, value);
      const inner = block.links?.[at] ? el("a", { href: block.links[at], "data-focus": "link " + block.links[at] }, value) : drawn ? el("button", { type: "button", class: "pick", "data-focus": "row " + at, "aria-pressed": String(at === keep.chosen), title: "show in the plots", on: { click: () => choose(block.id, at) } }, value) : value;
      return el("th", { scope: "row", class: side }, inner);
    }));
    keep.body.replaceChildren(el("table", {}, el("caption", {}, block.caption), el("thead", {}, el("tr", {}, block.together ? el("th", { scope: "col" }, el("span", { class: "unseen" }, "side by side")) : null, shown.map(head))),
      el("tbody", {}, order.slice(keep.page * perPage, (keep.page + 1) * perPage).map(row))));
    keep.body.scrollLeft = scrolled;
    if (inside && focus) [...keep.body.querySelectorAll("[data-focus]")].find(node => node.dataset.focus === focus)?.focus();
    if (!keep.turn) {
      const turn = (name, by) => el("button", { type: "button", class: "tool", on: { click: () => { keep.page += by; draw(block.id); } } }, name);
      keep.turn = [turn("Back", -1), el("span", { class: "note" }), turn("On", 1)];
      keep.pages.append(...keep.turn);
    }
    keep.pages.hidden = rows.length <= perPage;
    keep.turn[0].disabled = keep.page === 0;
    keep.turn[2].disabled = keep.page >= pages - 1;
    keep.turn[1].textContent = order.length ? "rows " + whole(keep.page * perPage + 1) + " to " + whole(Math.min(order.length, (keep.page + 1) * perPage)) + " of " + whole(order.length) : "no row holds that";
  };

  const draw = id => {
    const keep = kept.get(id);
    if (!keep || !keep.block) return;
    const block = keep.block;
    if (block.kind === "table") {
      if (keep.chosen !== keep.seen) { keep.follow = keep.chosen; keep.seen = keep.chosen; }
      return drawTable(block, keep);
    }
    keep.heading.textContent = block.title;
    keep.caption.textContent = block.caption;
    const focused = document.activeElement === keep.host.querySelector("svg[tabindex]");
    (plots[block.plot] || (() => {}))(block, keep.host, keep, keep.controls);
    width.set(keep.host, keep.host.clientWidth);
    if (focused) keep.host.querySelector("svg[tabindex]")?.focus();
    if (keep.details && keep.details.open) keep.listed.replaceChildren(tabled(numbers(block)));
  };

  const make = {
    words: block => el("p", {}, block.text),
    warning: block => el("p", { class: "warning" }, el("strong", {}, "Warning."), " " + block.text),
    code: block => el("figure", { class: "code" }, el("figcaption", {}, block.caption), el("pre", { tabindex: "0", class: block.text.includes("\n") ? null : "wrap" }, el("code", {}, block.text))),
    figure: figureNode,
    table: tableNode,
  };

  // Brings a section's elements into line with its blocks.
  const renderSection = (section, data) => {
    const wanted = [section.querySelector("h2")];
    data.blocks.forEach((block, at) => {
      if (!make[block.kind]) return;
      const id = block.id || data.id + " " + at;
      // What is drawn of a table changes with it.
      const text = JSON.stringify(block) + (block.table ? JSON.stringify(tables.get(block.table)) : "");
      let known = nodes.get(id);
      if (known && known.kind !== block.kind) known = undefined;
      if (!known || (known.text !== text && !block.id)) {
        if (block.id) kept.set(id, { block, figure: block.kind === "figure" ? block : null });
        known = { node: make[block.kind](block), kind: block.kind, text: null };
      }
      if (block.id && known.text !== text) {
        const keep = kept.get(id);
        [keep.block, keep.figure] = [block, block.kind === "figure" ? block : null];
        known.stale = true;
      }
      known.text = text;
      nodes.set(id, known);
      wanted.push(known.node);
    });
    if (wanted.length !== section.children.length || wanted.some((node, at) => section.children[at] !== node)) section.replaceChildren(...wanted);
  };

  const render = data => {
    present = data;
    document.title = data.title + " – Cellwright";
    if ($("title").textContent !== data.title) $("title").textContent = data.title;
    if ($("subtitle").textContent !== data.subtitle) $("subtitle").textContent = data.subtitle;
    const main = $("main"), known = [...main.children], focus = document.activeElement;
    for (const { blocks } of data.sections) {
      for (const block of blocks) {
        if (block.kind !== "table") continue;
        tables.set(block.id, block);
        const keep = kept.get(block.id);
        if (keep?.block && keep.block.rows.length > block.rows.length) keep.chosen = null;
      }
    }
    const sections = data.sections.map(section => {
      let node = known.find(node => node.id === section.id);
      if (!node) node = el("section", { id: section.id, "aria-labelledby": section.id + "-title" }, el("h2", { id: section.id + "-title" }));
      node.querySelector("h2").textContent = section.title;
      renderSection(node, section);
      return node;
    });
    if (sections.length !== known.length || sections.some((node, at) => known[at] !== node)) main.replaceChildren(...sections);
    const links = data.sections.map(section => section.title).join("\n");
    if ([...$("contents").children].map(item => item.textContent).join("\n") !== links) {
      $("contents").replaceChildren(...data.sections.map(section => el("li", {}, el("a", { href: "#" + section.id }, section.title))));
    }
    for (const [id, node] of nodes) if (node.stale) { node.stale = false; draw(id); }
    if (focus && focus !== document.activeElement && document.contains(focus)) focus.focus();
  };

  // --- light and dark --------------------------------------------------------------------------------

  const redraw = () => { for (const id of [...kept.keys()]) draw(id); };
  const themes = ["", "light", "dark"], theme = el("button", { type: "button", class: "tool", on: { click: () => {
    const next = themes[(themes.indexOf(document.documentElement.dataset.theme || "") + 1) % 3];
    if (next) document.documentElement.dataset.theme = next; else delete document.documentElement.dataset.theme;
    named();
    redraw();
  } } });
  const named = () => { theme.textContent = "Colours: " + (document.documentElement.dataset.theme || "as the system"); };
  named();
  $("tools").append(theme);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("keydown", event => { if (event.key === "Escape") tip(""); });

  render(JSON.parse($("document").textContent));
  return { render, document: () => present };
})();
