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
  const cut = all(".scroll, .equation").filter((box) => isVisible(box) && box.scrollWidth > box.clientWidth);
  const isFirst = claims === null || first !== null && after(first, claims) && after(first, method());
  return {
    faintTexts: faintTexts(),
    withoutKey: chartsWithoutKey(drawings),
    smallCardPictures: all(".lead-figure img").filter((picture) => picture.getBoundingClientRect().width < 96)
      .length,
    smallPictures: smallPictures(all),
    captionsWithoutN: all("figure:not(.panel) figcaption").map(({ textContent }) => textContent).filter((
      caption,
    ) => !/\bn = [1-9]/.test(caption)),
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

/** Pictures below 160 px; maps of drawings and of the explorer may be 96 px wide on a phone. */
function smallPictures(all) {
  const least = innerWidth < 704 ? 96 : 160;
  const widthOf = (element) => Math.round(element.getBoundingClientRect().width);
  const isVisible = (element) => element.checkVisibility();
  const found = [
    ...all(".color-grid img, figure:not(.panel) img").map((picture) => [picture.alt, widthOf(picture), 160]),
    ...all("figure svg image, #nearest img, .map img, .map canvas, .card button img").map((
      picture,
    ) => [
      picture.closest("[aria-label], section")?.ariaLabel ?? picture.alt,
      isVisible(picture) ? widthOf(picture) : least,
      least,
    ]),
    ...all(".card canvas").map((maps) => [
      maps.ariaLabel,
      widthOf(maps) / Number(getComputedStyle(maps).getPropertyValue("--maps")),
      least,
    ]),
  ];
  return found.flatMap(([name, width, least]) =>
    width > 0 && width < least ? [`${name}: ${width} of ${least} px`] : []
  );
}

/** Red, green, blue and opacity, each from 0 to 1, of a computed color; null where there is none. */
function colorOf(text) {
  const [, inside] = /^rgba?\((.*)\)$/.exec(text) ?? [];
  if (inside === undefined) return null;
  const [red, green, blue, alpha = 1] = inside.split(/[\s,/]+/).map(Number);
  return { rgb: [red / 255, green / 255, blue / 255], alpha };
}

function luminance(rgb) {
  const [red, green, blue] = rgb.map((value) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The contrast of two colors by WCAG 2. */
function contrast(a, b) {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

/** Paint over what lies below it. */
function over({ rgb, alpha }, below) {
  return rgb.map((value, i) => alpha * value + (1 - alpha) * below[i]);
}

/** What is behind an element of HTML, from the page upwards. */
function behind(element) {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const own = colorOf(getComputedStyle(at).backgroundColor);
    if (own?.alpha > 0) layers.unshift(own);
  }
  return layers.reduce((below, own) => over(own, below), [1, 1, 1]);
}

/** What is behind a text of a drawing: its halo, or the marks that were painted before it there. */
function behindMark(text, marks) {
  const style = getComputedStyle(text), halo = colorOf(style.stroke);
  if (style.paintOrder.startsWith("stroke") && halo) return halo.rgb;
  const box = text.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
  let below = behind(text.closest("figure, .lead-figure, #cortex") ?? document.body);
  for (const { mark, area, paint } of marks) {
    if (!(mark.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING)) break;
    if (area.left <= x && x <= area.right && area.top <= y && y <= area.bottom) below = over(paint, below);
  }
  return below;
}

/** Filled rectangles of a drawing, in the order in which they are painted. */
function filledAreas(svg) {
  return [...svg.querySelectorAll("rect, path")].flatMap((mark) => {
    const style = getComputedStyle(mark), paint = colorOf(style.fill);
    if (!paint || mark.localName === "path" && !/^M[^A-Z]+[hH]/.test(mark.getAttribute("d") ?? "")) return [];
    const alpha = paint.alpha * Number(style.fillOpacity) * Number(style.opacity);
    return alpha > 0 ? [{ mark, area: mark.getBoundingClientRect(), paint: { ...paint, alpha } }] : [];
  });
}

/** Texts whose contrast is below 4.5, or 3 where they are large. */
function faintTexts() {
  const faint = [], seen = new Set(), areas = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (text === "" || seen.has(element) || /^(script|style|option|title)$/i.test(element.localName)) {
      continue;
    }
    seen.add(element);
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const style = getComputedStyle(element), svg = element.closest("svg");
    if (svg && !areas.has(svg)) areas.set(svg, filledAreas(svg));
    const below = svg ? behindMark(element, areas.get(svg)) : behind(element);
    const own = colorOf(svg ? style.fill : style.color);
    const size = parseFloat(style.fontSize), isLarge = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
    const found = own && contrast(over(own, below), below);
    if (found !== null && found < (isLarge ? 3 : 4.5)) {
      faint.push(`${text.slice(0, 40)}: ${found.toFixed(2)}`);
    }
  }
  return faint;
}

/** Charts that color tells something in, and nothing says what: no text or line of a key in a color of marks, no bar of colors. */
function chartsWithoutKey(drawings) {
  return drawings.filter((svg) => {
    const paints = (selector) =>
      new Set(
        [...svg.querySelectorAll(selector)].flatMap((mark) => {
          const { fill, stroke } = getComputedStyle(mark);
          return [fill, stroke].filter((paint) => isColored(colorOf(paint)));
        }),
      );
    const marks = paints(
      ".role-mark path, .role-mark rect, .role-mark circle, .role-mark line, .role-mark symbol",
    );
    if (marks.size < 2) return false;
    const named = paints("text"), numbers = svg.querySelectorAll(".role-mark text").length;
    const isNamed = [...marks].some((paint) => named.has(paint));
    const hasKey = svg.querySelector("linearGradient, [class*=legend]") ||
      svg.closest("figure").querySelector(".bar");
    return !isNamed && !hasKey && numbers < marks.size;
  }).map((svg) => svg.closest("figure").textContent.slice(-80));
}

/** Whether a color is none of the grays. */
function isColored(color) {
  return color !== null && color.alpha > 0 && Math.max(...color.rgb) - Math.min(...color.rgb) > 0.15;
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
