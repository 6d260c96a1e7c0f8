"use strict";
// Charts of channels by uPlot, from what the page brought with it. Nothing is fetched here: the
// page renews itself, and each chart then takes its new data.
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const faint = (name) => `color-mix(in srgb, ${colour(name)} 22%, transparent)`;
  const bands = { unknown: "--gap", interfered: "--warn", maintenance: "--work", unsaid: "--soft" };
  const tall = 220;

  // What the evidence says, behind the readings: striped and named, no colour alone.
  function shade(plot, data) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const [from, to, kind] of data.bands) {
      const [left, right] = [plot.valToPos(from, "x", true), plot.valToPos(to, "x", true)];
      const [low, high] = [Math.max(left, bbox.left), Math.min(right, bbox.left + bbox.width)];
      if (high < bbox.left || low > bbox.left + bbox.width) continue;
      const wide = Math.max(high - low, 2);
      ctx.save();
      ctx.beginPath();
      ctx.rect(low, bbox.top, wide, bbox.height);
      ctx.clip();
      ctx.strokeStyle = colour(bands[kind] || "--soft");
      ctx.lineWidth = 1.5 * devicePixelRatio;
      const [slope, step] = [kind === "interfered" ? -1 : 1, (kind === "unsaid" ? 20 : 10) * devicePixelRatio];
      ctx.beginPath();
      for (let x = low - bbox.height; x < low + wide + bbox.height; x += step) {
        ctx.moveTo(x, bbox.top + (slope > 0 ? bbox.height : 0));
        ctx.lineTo(x + bbox.height, bbox.top + (slope > 0 ? 0 : bbox.height));
        if (kind !== "unsaid") continue;
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x + bbox.height, bbox.top + bbox.height);
      }
      if (kind === "maintenance") ctx.setLineDash([2, 8]);
      ctx.globalAlpha = 0.5;
      ctx.stroke();
      ctx.restore();
    }
    ctx.restore();
  }

  // Names of bands and letters of events, over the grid.
  function letter(plot, data) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = colour("--text");
    ctx.font = `600 ${12 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    [ctx.strokeStyle, ctx.lineWidth, ctx.lineJoin] = [colour("--ground"), 4 * devicePixelRatio, "round"];
    for (const [from, to, , label] of data.bands) {
      const left = Math.max(plot.valToPos(from, "x", true), bbox.left);
      const right = Math.min(plot.valToPos(to, "x", true), bbox.left + bbox.width);
      if (ctx.measureText(label).width + 8 >= right - left) continue;
      ctx.strokeText(label, left + 4, bbox.top + bbox.height - 6);
      ctx.fillText(label, left + 4, bbox.top + bbox.height - 6);
    }
    ctx.textAlign = "center";
    for (const [at, letters] of data.marks)
      if (at >= plot.scales.x.min && at <= plot.scales.x.max) ctx.fillText(letters, plot.valToPos(at, "x", true), bbox.top + 14 * devicePixelRatio);
    ctx.restore();
  }

  const shown = (unit) => (plot, value) => value == null ? "–" : `${Number(value.toPrecision(6))} ${unit}`;
  const clock = (plot, value) => value == null ? "–" : `${new Date(1000 * value).toISOString().slice(0, 19)}Z`;

  const part = (span) => span < 86400 ? [11, 19] : span < 40 * 86400 ? [5, 16] : [0, 10];
  const times = (plot, at) => at.map((each) =>
    new Date(1000 * each).toISOString().slice(...part(plot.scales.x.max - plot.scales.x.min)).replace("T", " "));

  function options(node, data) {
    const line = { stroke: () => colour("--text"), grid: { stroke: () => colour("--line") }, ticks: { stroke: () => colour("--line") } };
    const edge = { stroke: () => faint("--link"), width: 1, points: { show: false }, value: shown(data.unit) };
    return {
      width: Math.max(node.clientWidth, 280), height: tall, tzDate: (at) => uPlot.tzDate(new Date(1000 * at), "Etc/UTC"),
      scales: { x: { time: true, range: (plot, low, high) => plot.zoomed ? [low, high] : [plot.told.from, plot.told.to] } },
      axes: [{ ...line, space: 100, values: times }, { ...line, size: 70, label: data.unit || undefined }],
      series: [
        { label: "UTC", value: clock },
        { label: "most", ...edge },
        { label: "least", ...edge },
        { label: "mean", stroke: () => colour("--link"), width: 1.5, value: shown(data.unit) },
      ],
      bands: [{ series: [1, 2], fill: () => faint("--link") }],
      cursor: { drag: { x: true, y: false } },
      hooks: {
        drawClear: [(plot) => shade(plot, plot.told)],
        draw: [(plot) => letter(plot, plot.told)],
        setSelect: [(plot) => { plot.zoomed = plot.select.width > 0; }],
      },
    };
  }

  // The cursor by keys: a reading to the left or right, ten with Page Up and Page Down, the first
  // and the last. What it stands on is told by the chart's live region, and drawn as by a mouse.
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
  const told = (plot, at) => {
    const [x, most, least, mean] = plot.data.map((column) => column[at]);
    const when = clock(plot, x);
    if (mean == null) return `${when}: nothing was told`;
    const value = shown(plot.told.unit);
    const band = plot.told.bands.filter(([from, to]) => x >= from && x <= to).map(([, , , label]) => label);
    return `${when}: ${value(plot, mean)}${least === most ? "" : `, least ${value(plot, least)}, most ${value(plot, most)}`}${band.length ? `, ${band.join(", ")}` : ""}`;
  };

  function stand(plot, at) {
    const x = plot.data[0];
    const [low, high] = [x.findIndex((each) => each >= plot.scales.x.min), x.findLastIndex((each) => each <= plot.scales.x.max)];
    if (low < 0 || high < low) return;
    plot.stands = Math.min(Math.max(at, low), high);
    const left = plot.valToPos(x[plot.stands], "x");
    const mean = plot.data[3][plot.stands];
    plot.setCursor({ left, top: mean == null ? 0 : plot.valToPos(mean, "y") });
    const status = plot.root.closest("figure").querySelector("[data-cursor]");
    const text = told(plot, plot.stands);
    if (status.textContent !== text) status.textContent = text;
  }

  document.addEventListener("keydown", (event) => {
    const node = event.target.closest(".plot[data-chart]");
    const plot = node && plots.get(node);
    if (!plot || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      plot.stands = undefined;
      plot.setCursor({ left: -10, top: -10 });
      return;
    }
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const from = plot.stands ?? (step < 0 ? plot.data[0].length : -1);
    stand(plot, from + step);
  });

  // The same moment stays under the cursor when new readings have come.
  function stay(plot, x) {
    const at = plot.data[0].findLastIndex((each) => each <= x);
    if (at < 0) plot.stands = undefined;
    else stand(plot, at);
  }

  function reachable(node) {
    node.tabIndex = 0;
    node.setAttribute("role", "application");
    node.setAttribute("aria-label", `Cursor of the chart ${node.dataset.name}: left and right arrow, Page Up and Down, Home, End`);
  }

  const columns = (data) => [data.x, data.most, data.least, data.mean];
  const plots = new Map();

  function draw() {
    for (const [node, plot] of plots)
      if (!node.isConnected) { plot.destroy(); plots.delete(node); }
    for (const node of document.querySelectorAll(".plot[data-chart]")) {
      const data = JSON.parse(node.dataset.chart);
      reachable(node);
      const held = plots.get(node);
      if (held) {
        const x = held.stands === undefined ? undefined : held.data[0][held.stands];
        held.told = data;
        held.setData(columns(data), !held.zoomed);
        if (x !== undefined) queueMicrotask(() => stay(held, x)); // uPlot sets its scales in one, too
        continue;
      }
      const made = options(node, data);
      const brings = { opts: (plot) => { plot.told = data; } };
      const plot = new uPlot({ ...made, plugins: [brings] }, columns(data), node);
      node.addEventListener("pointermove", () => { plot.stands = undefined; });
      plot.over.addEventListener("dblclick", () => { plot.zoomed = false; plot.setData(columns(plot.told), true); });
      plot.root.querySelector("canvas").setAttribute("aria-hidden", "true");
      plots.set(node, plot);
    }
  }

  document.addEventListener("casemate-renewed", draw);
  addEventListener("resize", () => {
    for (const [node, plot] of plots) plot.setSize({ width: Math.max(node.clientWidth, 280), height: tall });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const plot of plots.values()) plot.redraw();
  });
  draw();
})();
