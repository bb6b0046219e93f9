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

  // How far a file is, for eyes and for screen readers.
  function bar(form) {
    const place = form.querySelector("[role=progressbar]");
    return (share) => { place.hidden = false; place.setAttribute("aria-valuenow", share); place.firstElementChild.value = share; };
  }

  // One field more, that is not shown.
  function says(form, name, value) {
    const hidden = document.createElement("input");
    hidden.type = "hidden";
    hidden.name = name;
    hidden.value = value;
    form.append(hidden);
  }

  // Read here and sent as text, in base64 for addresses: nothing in it must be escaped, and no other kind of form is needed.
  const read = (file, show) => new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onprogress = (at) => { if (at.lengthComputable) show(Math.round((100 * at.loaded) / at.total)); };
    reader.onerror = () => fail(new Error("The file cannot be read."));
    reader.onload = () => done(reader.result.split(",")[1].replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, ""));
    reader.readAsDataURL(file);
  });

  const hex = (bytes) => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");

  // Put by itself, at an address that is good for this file alone; gives what the upload is called.
  async function put(form, where, file, show) {
    const asked = new URLSearchParams({ token: form.elements.token.value, bytes: file.size });
    if (window.crypto && crypto.subtle) asked.set("sha256", hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())));
    const answer = await fetch(where, { method: "POST", body: asked });
    const begun = await answer.json().catch(() => ({}));
    if (!answer.ok || !begun.url) throw new Error(begun.why || "The upload was not begun. Load this page anew, and try again.");
    await new Promise((done, fail) => {
      const request = new XMLHttpRequest();
      request.open(begun.method, begun.url);
      // Browsers say the length themselves.
      Object.entries(begun.headers).forEach(([name, value]) => { if (name !== "content-length") request.setRequestHeader(name, value); });
      request.upload.onprogress = (at) => { if (at.lengthComputable) show(Math.round((100 * at.loaded) / at.total)); };
      request.onload = () => (request.status < 300 ? done() : fail(new Error("The file was not taken there: status " + request.status + ".")));
      request.onerror = () => fail(new Error("The file cannot be sent there from this page."));
      request.send(file);
    });
    show(100);
    return begun.upload_id;
  }

  function files() {
    document.addEventListener("submit", async (event) => {
      const form = event.target;
      const place = form.querySelector("input[data-file]");
      if (!place || form.dataset.read) return;
      event.preventDefault();
      const [file, button, told] = [place.files[0], form.querySelector("button"), form.querySelector(".told")];
      if (!file || button.disabled) return;
      button.disabled = true;
      told.textContent = "";
      try {
        const where = place.dataset.uploads;
        if (where) says(form, "upload_id", await put(form, where, file, bar(form)));
        else says(form, place.dataset.file, await read(file, bar(form)));
        form.dataset.read = "yes";
        button.disabled = false;
        told.textContent = "It is being checked.";
        form.requestSubmit();
      } catch (error) {
        button.disabled = false;
        told.textContent = error.message;
      }
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
