// Charts, the menu of narrow screens, and the door. Pages work without it; nothing here knows a key for longer than a moment.
"use strict";
(function () {
  const shown = new Map();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  // Days at midnight, else the time of the day; in UTC, as everything here.
  const clock = (at) => {
    const text = new Date(at * 1e3).toISOString();
    return text.slice(11, 16) === "00:00" ? text.slice(5, 10) : text.slice(11, 16);
  };

  // Vertical lines where something happened: what it was stands in the table beside the chart.
  function marks(list) {
    return {
      hooks: {
        draw: (u) => {
          const c = u.ctx;
          c.save();
          c.strokeStyle = colour("warn");
          c.setLineDash([4, 4]);
          list.forEach(([at]) => {
            const x = u.valToPos(at, "x", true);
            if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) return;
            c.beginPath();
            c.moveTo(x, u.bbox.top);
            c.lineTo(x, u.bbox.top + u.bbox.height);
            c.stroke();
          });
          c.restore();
        },
      },
    };
  }

  function draw(place) {
    const data = JSON.parse(place.dataset.chart);
    const money = data.unit.startsWith("USD");
    const said = (v, digits) => (money ? "$" + v.toFixed(digits) : v.toFixed(digits - 1) + " %");
    const axis = { stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") }, font: "12px system-ui" };
    const series = [{ label: "time", value: "{YYYY}-{MM}-{DD} {HH}:{mm}" }].concat(
      data.lines.map((line) => ({
        label: line.name,
        stroke: colour(line.class),
        width: 2,
        dash: line.dashed ? [6, 4] : undefined,
        fill: data.stacked ? colour(line.class + "-soft") : line.class === "one" ? colour("one-soft") : undefined,
        paths: line.steps ? uPlot.paths.stepped({ align: 1 }) : undefined,
        points: { show: data.times.length < 40, size: 4 },
        value: (_, v) => (v == null ? "–" : said(v, 4)),
      }))
    );
    const plot = new uPlot(
      {
        width: place.clientWidth, height: 240, series, plugins: [marks(data.marks)], legend: { live: true },
        tzDate: (at) => uPlot.tzDate(new Date(at * 1e3), "Etc/UTC"),
        axes: [Object.assign({ values: (_, all) => all.map(clock), space: 70 }, axis), Object.assign({ size: 70, values: (_, all) => all.map((v) => said(v, v < 1 ? 3 : 2)) }, axis)],
        scales: { y: { range: (_, low, high) => [Math.min(0, low), high * 1.08 || 1] } },
      },
      [data.times].concat(data.lines.map((line) => line.values)),
      place
    );
    shown.set(place, plot);
  }

  function charts() {
    shown.forEach((plot, place) => {
      if (!place.isConnected) { plot.destroy(); shown.delete(place); }
    });
    document.querySelectorAll("[data-chart]").forEach((place) => { if (!shown.has(place)) draw(place); });
  }

  function redraw() {
    shown.forEach((plot, place) => { plot.destroy(); shown.delete(place); });
    charts();
  }

  // A link of local mode carries the key behind '#', where no server and no log sees it.
  function door() {
    const form = document.querySelector("[data-door]");
    const key = new URLSearchParams(location.hash.slice(1)).get("key");
    if (!form || !key) return;
    history.replaceState(null, "", location.pathname + location.search);
    form.elements.key.value = key;
    form.requestSubmit();
  }

  function menu() {
    const details = document.querySelector("details.menu");
    if (details) details.addEventListener("toggle", () => document.body.classList.toggle("open", details.open));
  }

  // A chooser shows its page at once; its button is for those without scripts.
  function picks() {
    document.addEventListener("change", (event) => {
      const form = event.target.closest(".pick form");
      if (form && event.target.matches("select")) form.requestSubmit();
    });
  }

  // A chosen file is read here and sent as text, in base64 for addresses: nothing in it must be escaped, and no other kind of form is needed.
  function files() {
    document.addEventListener("submit", (event) => {
      const place = event.target.querySelector("input[data-file]");
      if (!place || event.target.dataset.read) return;
      event.preventDefault();
      const form = event.target;
      const button = form.querySelector("button");
      const words = button.textContent;
      const reader = new FileReader();
      reader.onprogress = (at) => { if (at.lengthComputable) button.textContent = words + " " + Math.round((100 * at.loaded) / at.total) + " %"; };
      reader.onload = () => {
        const hidden = document.createElement("input");
        hidden.type = "hidden";
        hidden.name = place.dataset.file;
        hidden.value = reader.result.split(",")[1].replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
        form.append(hidden);
        form.dataset.read = "yes";
        button.textContent = words + " …";
        form.requestSubmit();
      };
      if (place.files.length) reader.readAsDataURL(place.files[0]);
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    door(); menu(); picks(); files();
    if (!window.uPlot) return;
    charts();
    document.body.addEventListener("htmx:afterSettle", charts);
    // A page that changes while somebody is in one of its forms, or has chosen some of its rows, waits.
    document.body.addEventListener("htmx:beforeRequest", (event) => {
      const inside = document.activeElement && document.activeElement.closest("#live form");
      const typing = inside && document.activeElement.matches("input, select");
      if (typing || document.querySelector("#live input[type=checkbox]:checked")) event.preventDefault();
    });
    let wait;
    addEventListener("resize", () => { clearTimeout(wait); wait = setTimeout(redraw, 150); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  });
})();
