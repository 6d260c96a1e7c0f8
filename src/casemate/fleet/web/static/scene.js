"use strict";
// Turns the drawing of an enclosure in place: by its links, by arrow keys on them, by dragging it.
// The server draws each view, hidden surfaces and all; without this script the links lead there.
(() => {
  const keys = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "higher", ArrowDown: "lower" };
  const part = () => document.querySelector("[data-scene]");
  const wide = 60; // pixels of a drag that are one step
  let [busy, next, drag] = [false, "", null];

  function hint() {
    const node = part() && part().querySelector("[data-hint]");
    if (node) node.hidden = false;
  }

  async function turn(href, focus) {
    if (busy) { next = href; return; }
    busy = true;
    try {
      const answer = await fetch(href, { redirect: "manual", cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error("no page");
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const came = page.querySelector("[data-scene]");
      // What the drawing shows must be of the state that the page shows: else the whole page comes.
      const state = (root) => root.querySelector("svg.scene").getAttribute("class");
      if (!came || state(came) !== state(part())) throw new Error("another state");
      part().replaceWith(document.importNode(came, true));
      history.replaceState(null, "", href);
      hint();
      if (focus) {
        const again = part().querySelector(`[data-turn="${focus}"]`) || part().querySelector("[data-turns] a");
        if (again) again.focus();
      }
      const said = document.querySelector("[data-turned]");
      if (said) said.textContent = part().querySelector("svg.scene title").textContent;
    } catch {
      location.assign(href);
    } finally {
      busy = false;
      const again = next;
      next = "";
      if (again) turn(again, "");
    }
  }

  const link = (way) => part() && part().querySelector(`[data-turn="${way}"]`);
  const plain = (event) => !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

  document.addEventListener("click", (event) => {
    const asked = event.target.closest("[data-scene] .pages a");
    if (!asked || event.button !== 0 || !plain(event)) return;
    event.preventDefault();
    turn(asked.href, asked.dataset.turn || "");
  });
  document.addEventListener("keydown", (event) => {
    const way = keys[event.key];
    if (!way || !plain(event) || !event.target.closest("[data-turns] a")) return;
    event.preventDefault();
    const to = link(way);
    if (to) turn(to.href, way);
  });
  document.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && event.pointerType !== "touch" && event.target.closest("svg.scene"))
      drag = [event.clientX, event.clientY];
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag || busy) return;
    const [x, y] = [event.clientX - drag[0], event.clientY - drag[1]];
    const way = x <= -wide ? "right" : x >= wide ? "left" : y >= wide ? "higher" : y <= -wide ? "lower" : "";
    if (!way) return;
    drag = [event.clientX, event.clientY];
    const to = link(way);
    if (to) turn(to.href, "");
  });
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { drag = null; });
  document.addEventListener("casemate-renewed", hint);
  hint();
})();
