// Acts as a reader does, then gives the page newer data, and writes down what came of it.
addEventListener("load", () => setTimeout(async () => {
  const told = {};
  const plots = () => [...document.querySelectorAll("main figure .plot")];
  const empty = () => plots().filter(plot => !plot.querySelector("path.line, .point, .drawing, [data-points]") && !(+plot.dataset.points > 0));
  const settled = () => new Promise(done => setTimeout(done, 300));
  await settled();
  const heads = [...document.querySelectorAll("#networks th button")];
  const column = () => [...document.querySelectorAll("#networks tbody tr")].map(row => row.children[1].textContent).join();
  heads[1].focus();
  heads[1].click();
  told.descending = column();
  told.sorted = document.querySelector("#networks th[aria-sort=descending]").textContent;
  told.focus = document.activeElement.dataset.focus;
  document.activeElement.click();
  told.ascending = column();
  const slider = document.querySelector("#cells input[type=range]");
  if (slider) {
    told.last = slider.value;
    slider.value = 0;
    slider.dispatchEvent(new Event("input"));
    told.stepped = document.querySelector("#cells output").textContent;
    told.others = [...document.querySelectorAll("figure.heat input[type=range]")].map(other => other.value).join();
  }
  const line = document.querySelector("figure.lines svg[tabindex]");
  line.focus();
  line.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  told.read = document.getElementById("said").textContent;
  document.querySelector("#tools button").click();
  told.theme = document.documentElement.dataset.theme;
  const pick = document.querySelector("#trials-table .pick");
  if (pick) { pick.click(); told.chosen = document.querySelectorAll("#trials-table tr.chosen").length; }
  // Newer data: what was chosen stays, what has come is there.
  const newer = JSON.parse(JSON.stringify(cellwright.document()));
  newer.subtitle = "newer";
  const table = newer.sections.flatMap(section => section.blocks).find(block => block.id === "networks");
  table.rows.push(["one more", 0.001, "", 1, 1, 1]);
  document.querySelector("#networks th button").focus();
  cellwright.render(newer);
  await settled();
  told.newer = [document.getElementById("subtitle").textContent, column().split(",")[0], document.activeElement.dataset.focus, slider ? slider.value : "0"].join("; ");
  told.empty = empty().map(plot => plot.parentElement.id).join();
  told.plots = plots().length;
  told.nan = document.querySelector("main").innerHTML.includes("NaN") || document.querySelector("main").innerHTML.includes("undefined");
  told.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
  document.documentElement.dataset.told = JSON.stringify(told);
}, 500));
