// Asks for newer documents of the page, and has `cellwright.render` bring it up to date. `live` is told which document is there.
"use strict";
const live = tag => {
  const usual = 2000; // milliseconds from one question to the next
  const share = 10; // what took long is asked for the less often
  const [, token, ...page] = location.pathname.split("/");
  const source = ["", token, "document", ...page.filter(part => part)].join("/");
  const note = document.createElement("span"), button = document.createElement("button"), said = document.getElementById("said");
  let timer = null, lost = false, goes = true;
  [note.className, button.className, button.type] = ["note", "tool", "button"];
  if (page[0]) {
    const all = document.createElement("a");
    all.href = "/" + token + "/";
    all.textContent = "All runs";
    document.querySelector(".mark").append(" · ", all);
  }
  document.getElementById("tools").prepend(note, button);

  const tell = text => { note.textContent = text; };
  const again = after => {
    clearTimeout(timer);
    timer = goes && !document.hidden ? setTimeout(ask, after) : null;
  };
  const ask = async () => {
    const begun = performance.now();
    timer = null;
    try {
      const response = await fetch(source, { cache: "no-store", credentials: "omit", redirect: "error", headers: { "If-None-Match": "\"" + tag + "\"" }, signal: AbortSignal.timeout(60000) });
      if (response.ok) {
        const data = await response.json();
        if (!goes) return;
        tag = (response.headers.get("ETag") || "").replaceAll("\"", "");
        cellwright.render(data);
      } else if (response.status !== 304) {
        throw new Error(response.status === 404 ? page[0] === "run" ? "the run is gone" : "a run is gone" : "status " + response.status);
      }
      if (lost) said.textContent = "The page is live again.";
      lost = false;
      tell("as of " + new Date().toLocaleTimeString());
      again(Math.min(30000, Math.max(usual, share * (performance.now() - begun))));
    } catch (error) {
      // Read aloud once, not each time.
      if (!lost) said.textContent = "The page is no longer live.";
      lost = true;
      tell(error instanceof TypeError || error.name === "TimeoutError" ? "not live: cellwright watch does not answer" : "not live: " + error.message);
      again(5000);
    }
  };
  const named = () => {
    button.textContent = goes ? "Pause" : "Go on";
    button.title = goes ? "leave the page as it is" : "bring the page up to date";
  };
  button.addEventListener("click", () => {
    goes = !goes;
    named();
    if (goes) ask(); else { clearTimeout(timer); tell("paused"); }
  });
  // A page that nobody sees asks for nothing.
  document.addEventListener("visibilitychange", () => { if (!document.hidden && goes && timer === null) ask(); });
  named();
  tell("live");
  again(usual);
};
