// Returns what is wrong with the page as it stands there: a list of sentences, empty for a good page.
const faults = [];
const name = (element) => {
  const text = (element.innerText || element.name || element.id || "").trim();
  return `${element.localName} "${text.slice(0, 40)}"`;
};
const isShown = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility === "visible";

// Layout.
if (document.scrollingElement.scrollWidth > innerWidth) {
  faults.push(`is ${document.scrollingElement.scrollWidth} wide in a window of ${innerWidth}`);
}
for (const element of document.querySelectorAll("button, a, input")) {
  if (!isShown(element)) continue;
  // A box to tick is as large as its label, which ticks it too.
  const target = (element.type === "checkbox" && element.closest("label")) || element;
  const { left, right, height } = target.getBoundingClientRect();
  if (left < 0 || right > innerWidth) faults.push(`${name(element)} leaves the window`);
  // A link in a line of text is as high as its line.
  if (getComputedStyle(element).display !== "inline" && height < 40) faults.push(`${name(element)} is ${height} high`);
}

// Structure.
if (!document.documentElement.lang) faults.push("names no language");
if (!document.title.trim()) faults.push("has no title");
if (document.querySelectorAll("h1").length !== 1) faults.push("has not one h1");
if (document.querySelectorAll("main").length !== 1) faults.push("has not one main");
const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
for (const id of ids) {
  if (ids.filter((other) => other === id).length > 1) faults.push(`has more than one #${id}`);
}
for (const element of document.querySelectorAll("[aria-describedby], [aria-labelledby], label[for]")) {
  for (const attribute of ["aria-describedby", "aria-labelledby", "for"]) {
    for (const id of (element.getAttribute(attribute) ?? "").split(/\s+/).filter(Boolean)) {
      if (!ids.includes(id)) faults.push(`${name(element)} speaks of #${id}, which is not there`);
    }
  }
}

// Names.
for (const input of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
  if (input.labels.length === 0 && !input.ariaLabel) faults.push(`${name(input)} has no label`);
}
for (const element of document.querySelectorAll("button, a")) {
  if (!element.innerText.trim() && !element.ariaLabel) faults.push(`a ${element.localName} has no name`);
}

// Contrast of text with what is behind it: 4.5 to 1, or 3 to 1 for large letters (WCAG 2.2, 1.4.3).
const channels = (color) => color.match(/[\d.]+/g).map(Number);
const luminance = (color) => {
  const [red, green, blue] = channels(color).map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const ground = (element) => {
  for (let behind = element; behind; behind = behind.parentElement) {
    const color = getComputedStyle(behind).backgroundColor;
    if ((channels(color)[3] ?? 1) > 0) return color;
  }
  return "rgb(255, 255, 255)";
};
for (const element of document.body.querySelectorAll("*")) {
  const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if ((!hasText && element.localName !== "input") || !isShown(element)) continue;
  const style = getComputedStyle(element);
  const [light, dark] = [luminance(style.color), luminance(ground(element))].sort((one, other) => other - one);
  const ratio = (light + 0.05) / (dark + 0.05);
  const isLarge = parseFloat(style.fontSize) >= 24;
  if (ratio < (isLarge ? 3 : 4.5)) faults.push(`${name(element)} has a contrast of ${ratio.toFixed(2)}`);
}
return faults;
