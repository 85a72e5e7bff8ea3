// Runs in a page: what it tells of itself, and what its policy lets a script do.

// deno-lint-ignore no-unused-vars
async function readFacts() {
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const all = (selector) => [...document.querySelectorAll(selector)];
  const drawings = all("figure svg").filter((svg) => svg.checkVisibility());
  const ids = all("[id]").map(({ id }) => id);
  const isEmpty = (svg) => {
    const { width, height } = svg.getBoundingClientRect();
    const marks = [...svg.querySelectorAll("path, rect, circle, line, image")].map((mark) => mark.getBBox());
    return width < 100 || height < 50 || !marks.some((box) => box.width + box.height > 0);
  };
  const isVisible = (element) => element.checkVisibility();
  const first = document.querySelector("main figure, .color-grid"),
    claims = document.querySelector(".claims");
  const after = (a, b) => Boolean(a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING);
  for (const folded of all("details")) folded.open = true;
  const cut = all(".scroll").filter((box) => isVisible(box) && box.scrollWidth > box.clientWidth);
  const isFirst = claims === null || first !== null && after(first, claims) && after(first, method());
  return {
    smallPictures: all(".color-grid img, figure img").filter((picture) =>
      isVisible(picture) && picture.getBoundingClientRect().width < 160
    ).map(({ alt }) => alt),
    cutTables: cut.map((box) => box.getAttribute("aria-label")),
    isFigureFirst: isFirst,
    home: document.querySelector(".beside .home")?.getAttribute("href") ?? "",
    background: getComputedStyle(document.body).backgroundColor,
    policy: document.querySelector("meta[http-equiv=Content-Security-Policy]")?.content ?? "",
    firstPaint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
    drawings: drawings.length,
    emptyDrawings: drawings.filter(isEmpty).map((svg) => svg.closest("figure").textContent.slice(0, 80)),
    headings: all("h1, h2, h3, h4, h5, h6").map(({ tagName }) => Number(tagName[1])),
    repeatedIds: ids.filter((id, i) => ids.indexOf(id) !== i),
    foreign: all("b, [onclick], [onerror], [src]:not([src^='data:'])").map((element) => element.outerHTML),
    withoutAlt: all("img:not([alt])").length,
  };
}

function method() {
  return [...document.querySelectorAll("h2")].find(({ textContent }) => textContent === "Method");
}

// Tries what the policy forbids, and tells what it stopped; leaves messages in the console.
// deno-lint-ignore no-unused-vars
async function readRefusals() {
  const refused = new Set();
  document.addEventListener("securitypolicyviolation", (event) => refused.add(event.effectiveDirective));
  const attempts = [
    () => fetch("https://example.org/"),
    () => new Function("return 1")(),
    () => Object.assign(new Image(), { src: "https://example.org/x.png" }).decode(),
    () => document.head.append(Object.assign(document.createElement("script"), { textContent: "1" })),
    () =>
      document.head.append(Object.assign(document.createElement("base"), { href: "https://example.org" })),
  ];
  for (const attempt of attempts) {
    // A task of its own: while the debugger's evaluates, eval is let through.
    await new Promise((resolve) => setTimeout(resolve));
    await Promise.resolve().then(attempt).catch(() => {});
  }
  // Events come when the browser finds the time.
  for (let i = 0; i < 400 && refused.size < attempts.length; i++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return [...refused].sort();
}
