"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (selector, within = document) => within.querySelector(selector);
  root.classList.add("js");

  // Light, dark, or what the system has.
  const themes = ["auto", "light", "dark"];
  const theme = one(".theme");
  const stored = () => { try { return localStorage.getItem("rawcd-theme"); } catch { return null; } };
  const paint = (name) => {
    if (name === "auto") delete root.dataset.theme; else root.dataset.theme = name;
    theme.textContent = `Theme: ${name}`;
  };
  let current = themes.includes(stored()) ? stored() : "auto";
  paint(current);
  theme.addEventListener("click", () => {
    current = themes[(themes.indexOf(current) + 1) % themes.length];
    paint(current);
    try { localStorage.setItem("rawcd-theme", current); } catch { /* a file may have no storage */ }
  });

  // One stop of the Tab key for a group; arrows move within it.
  const rove = (items, chosen) => {
    const stop = (item) => items.forEach((each) => each.setAttribute("tabindex", each === item ? "0" : "-1"));
    if (!items.length) return;
    stop(items[0]);
    items.forEach((item, place) => {
      item.addEventListener("focus", () => stop(item));
      item.addEventListener("keydown", (event) => {
        const last = items.length - 1;
        const to = {
          ArrowDown: place + 1, ArrowRight: place + 1, ArrowUp: place - 1, ArrowLeft: place - 1,
          Home: 0, End: last,
        }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        const next = items[Math.max(0, Math.min(last, to))];
        next.focus();
        chosen(next);
      });
    });
  };

  // A track is chosen everywhere at once.
  const tracks = all(".track");
  const heads = all(".track .head");
  const hub = [".hub-number", ".hub-word", ".hub-time"].map((name) => all(name));
  const idle = hub.map((each) => each[0].textContent);
  let picked = null;
  const screens = () => all(".language").forEach((panel) => {
    const row = picked === null ? null : one(`tr[data-span="${picked}"]`, panel);
    const from = row || one("tr[data-album]", panel);
    const cell = (name) => (from && one(`[data-field=${name}]`, from) || { textContent: "" }).textContent;
    const screen = one(".screen", panel);
    const track = picked === null ? null : tracks[picked];
    one(".place", screen).textContent = track ? one(".number", track).textContent : screen.dataset.place;
    one(".long", screen).textContent = track ? one(".time", track).textContent : screen.dataset.long;
    one(".title", screen).textContent = track && !row ? "" : cell("title");
    one(".by", screen).textContent = track && !row ? "" : cell("performer");
  });
  const pick = (place) => {
    picked = place === picked ? null : place;
    root.classList.toggle("picked", picked !== null);
    all("[data-span]").forEach((each) => each.classList.toggle("chosen", each.dataset.span === String(picked)));
    heads.forEach((head, at) => head.setAttribute("aria-pressed", String(at === picked)));
    all(".span").forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.span === String(picked))));
    const track = picked === null ? null : tracks[picked];
    const said = track ? [one(".number", track).textContent, "track", one(".time", track).textContent] : idle;
    hub.forEach((each, at) => each.forEach((text) => { text.textContent = said[at]; }));
    screens();
  };
  const show = (place) => { if (place !== picked) pick(place); };
  heads.forEach((head, place) => head.addEventListener("click", () => pick(place)));
  all("svg [data-span]").forEach((each) => each.addEventListener("click", () => pick(Number(each.dataset.span))));
  const spans = all(".timeline .span");
  spans.forEach((span) => {
    span.setAttribute("role", "button");
    span.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      pick(Number(span.dataset.span));
    });
  });
  all("[data-finding]").forEach((mark) => mark.addEventListener("click", (event) => {
    event.stopPropagation();
    location.hash = `finding-${mark.dataset.finding}`;
  }));
  rove(heads, (head) => show(heads.indexOf(head)));
  rove(spans, (span) => show(Number(span.dataset.span)));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && picked !== null) pick(picked); });

  // Languages, and the player's two keys.
  const tabs = all("[role=tab]");
  const turn = (tab) => tabs.forEach((each) => {
    each.setAttribute("aria-selected", String(each === tab));
    document.getElementById(each.getAttribute("aria-controls")).hidden = each !== tab;
  });
  tabs.forEach((tab) => tab.addEventListener("click", () => turn(tab)));
  rove(tabs, turn);
  if (tabs.length) turn(tabs[0]);
  all(".keys button").forEach((key) => key.addEventListener("click", () => {
    const step = Number(key.dataset.step);
    const from = picked === null ? (step > 0 ? -1 : tracks.length) : picked;
    if (tracks.length) show(Math.max(0, Math.min(tracks.length - 1, from + step)));
  }));
})();
