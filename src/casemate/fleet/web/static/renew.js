"use strict";
// A page of the fleet renews itself: it is fetched again, and what has changed is put in place.
// Nobody's place is lost: not what is typed, chosen, selected, unfolded or focused, and a form that
// decides about something is never changed under a hand. What could not be renewed says so.
(() => {
  const status = document.querySelector("[data-renews]");
  if (!status) return;
  const main = document.querySelector("main");
  const alert = main.querySelector(".made [role=alert]");
  const button = main.querySelector(".made button");
  const time = main.querySelector(".made time");
  let every = 1000 * Number(status.dataset.renews);
  const old = () => Math.min(Math.max(4 * every, 60000), 120000); // as the style sheet has it without us
  const wall = document.body.classList.contains("wall");
  const [longest, patience, title, key] = [wall ? 60000 : 300000, 10000, document.title, "casemate-stopped"];
  let [made, wait, due] = [Date.now(), every, Date.now() + every];
  let [busy, news, failed, held, stopped] = [false, false, "", "", sessionStorage.getItem(key) === "1"];

  const fields = () => [...main.querySelectorAll("input, select, textarea")];
  const filled = () => fields().some((each) =>
    each.type === "hidden" ? false
      : each.type === "checkbox" || each.type === "radio" ? each.checked !== each.defaultChecked
        : each.tagName === "SELECT"
          ? each.selectedIndex !== Math.max([...each.options].findIndex((one) => one.defaultSelected), 0)
          : each.type === "file" ? each.value !== "" : each.value !== each.defaultValue);

  // What a form decides about: a renewal that would change it is news to be looked at, not done.
  const passing = ["csrf", "nonce", "passkey"];
  const decides = (root) => JSON.stringify([...root.querySelectorAll("form[method=post]")].map((form) =>
    [form.getAttribute("action"), ...[...form.querySelectorAll("input, button, option")]
      .filter((each) => !passing.includes(each.name))
      .map((each) => [each.getAttribute("name"), each.getAttribute("value"), each.textContent])]));

  const path = (node) => {
    const steps = [];
    for (; node !== main; node = node.parentNode) steps.unshift([...node.parentNode.children].indexOf(node));
    return steps;
  };
  const follow = (root, steps) => steps.reduce((node, step) => node && node.children[step], root);
  // What a script of ours fills (data-keep) is the same one if it has the same name.
  const same = (a, b) => a && b && a.nodeName === b.nodeName && a.dataset.name === b.dataset.name
    && (a.hasAttribute("data-keep") ? b.hasAttribute("data-keep") : a.textContent === b.textContent)
    && a.getAttribute("href") === b.getAttribute("href");

  function patch(was, is) {
    if (was.nodeType === Node.TEXT_NODE) {
      if (was.data !== is.data) was.data = is.data;
      return;
    }
    if (was.nodeType !== Node.ELEMENT_NODE) return;
    for (const each of [...was.attributes])
      if (!is.hasAttribute(each.name) && each.name !== "open" && !was.hasAttribute("data-keep")) was.removeAttribute(each.name);
    for (const each of is.attributes)
      if (was.getAttribute(each.name) !== each.value) was.setAttribute(each.name, each.value);
    if (was.hasAttribute("data-keep")) return;
    const [before, after] = [[...was.childNodes], [...is.childNodes]];
    after.forEach((each, at) => {
      const here = before[at];
      if (!here) was.append(document.importNode(each, true));
      else if (here.nodeType === each.nodeType && here.nodeName === each.nodeName) patch(here, each);
      else here.replaceWith(document.importNode(each, true));
    });
    before.slice(after.length).forEach((each) => each.remove());
  }

  function occupied() {
    const [active, selection] = [document.activeElement, getSelection()];
    if (filled()) return "Not renewed while a form is being filled in.";
    if (main.contains(active) && active.matches("input, select, textarea, form[method=post] *")) return "Not renewed while you are in a form.";
    if (selection && !selection.isCollapsed && main.contains(selection.anchorNode)) return "Not renewed while text is selected.";
    return "";
  }

  function put(text) {
    const next = new DOMParser().parseFromString(text, "text/html").querySelector("main");
    const when = next && next.querySelector(".made time");
    if (!when) throw new Error("the answer is no page");
    const again = when.dateTime === time.dateTime && Date.now() - made > 2000;
    if (when.dateTime < time.dateTime || again) throw new Error("the answer is an old page");
    held = occupied();
    if (held) return;
    if (main.hasAttribute("data-waits") !== next.hasAttribute("data-waits")) { // what was waited for is there
      location.reload();
      return;
    }
    const active = document.activeElement;
    news = decides(main) !== decides(next)
      || (active !== main && main.contains(active) && !active.closest(".made")
        && !same(active, follow(next, path(active))));
    if (news) return;
    every = 1000 * Number(next.querySelector("[data-renews]").dataset.renews);
    const [classes, place] = [main.className, [scrollX, scrollY]];
    patch(main, next);
    main.className = classes;
    time.dateTime = when.dateTime;
    time.textContent = when.textContent;
    scrollTo(...place);
    made = Date.now();
    main.classList.remove("ages");
    void main.offsetWidth; // the page's age in the style sheet begins anew
    main.classList.add("ages");
    work();
    document.dispatchEvent(new Event("casemate-renewed"));
  }

  async function renew() {
    busy = true;
    try {
      const answer = await fetch(location.pathname + location.search, {
        headers: { "Casemate-Renewal": "1" }, redirect: "manual", cache: "no-store",
        credentials: "same-origin", signal: AbortSignal.timeout(patience),
      });
      if (answer.type === "opaqueredirect") throw new Error("your session has ended: sign in again");
      if (answer.status === 401) throw new Error("this device is let in no more");
      if (!answer.ok && !answer.headers.has("Retry-After")) throw new Error(`the service answers ${answer.status}`);
      put(await answer.text());
      [failed, wait] = ["", every];
    } catch (error) {
      failed = error instanceof TypeError || error.name === "TimeoutError"
        ? "the service cannot be reached" : error.message;
      wait = Math.min(2 * wait, longest);
    }
    due = Date.now() + wait * (0.9 + 0.2 * Math.random());
    busy = false;
  }

  // How far long work is, for those who hear the page: at each quarter, if it stands, and how it ended.
  const heard = new Map();
  function work() {
    const found = [...main.querySelectorAll("[data-work]")].map((each) => {
      const bar = each.querySelector("progress");
      const quarter = bar ? Math.floor(4 * bar.position) : -1;
      return [each.dataset.work, `${each.className} ${quarter}`, each.querySelector("p").textContent.trim()];
    });
    const told = found.filter(([name, state]) => heard.get(name) !== state).map(([, , text]) => text);
    const gone = [...heard.keys()].filter((name) => !found.some((each) => each[0] === name));
    heard.clear();
    found.forEach(([name, state]) => heard.set(name, state));
    if (gone.length || told.length)
      say(main.querySelector("[data-told]"), [...gone.map((name) => `${name}: no longer under way.`), ...told].join(" "));
  }

  function say(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function tell() {
    const aged = Date.now() - made > old();
    const stale = aged || news || failed !== "";
    const why = failed ? `It could not be renewed: ${failed}. ` : "";
    main.classList.toggle("old", stale);
    document.title = stale ? `(old) ${title}` : title;
    // A screen that hangs shows a number that stands still.
    const age = main.querySelector("[data-age]");
    if (age) say(age, `${aged ? "OLD: this" : "This"} is how it stood ${Math.round((Date.now() - made) / 1000)} s ago.`);
    say(alert, !stale ? "" : news ? `More has come since ${time.dateTime}: look at it before you decide.`
      : `${why}What you see is how it stood at ${time.dateTime}, not how it stands now.`);
    alert.hidden = !stale;
    say(status, stopped ? "It does not renew itself." : held || `It renews itself every ${every / 1000} s.`);
    say(button, news ? "Show what has come" : stopped ? "Renew it again" : "Stop renewing");
    button.hidden = false;
  }

  button.addEventListener("click", () => {
    if (news) { location.reload(); return; }
    stopped = !stopped;
    sessionStorage.setItem(key, stopped ? "1" : "0");
    due = Date.now();
    tick();
  });
  function tick() {
    if (!busy && !stopped && !news && !document.hidden && Date.now() >= due) {
      held = occupied();
      if (held) due = Date.now() + every;
      else renew().then(tell);
    }
    tell();
  }
  document.addEventListener("visibilitychange", tick);
  addEventListener("pageshow", tick);
  // Something is about to be sent: the page says soon how far that is.
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-sends]")) due = Math.min(due, Date.now() + 1500);
  });
  setInterval(tick, 1000);
  work();
  tick();
})();
