// Returns the texts of the page that leave the window, or the box that they stand in.
const faults = [];
const range = document.createRange();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
if (document.scrollingElement.scrollWidth > innerWidth) {
  faults.push(`is ${document.scrollingElement.scrollWidth} wide in a window of ${innerWidth}`);
}
while (walker.nextNode()) {
  const text = walker.currentNode;
  if (!text.data.trim() || text.parentElement.closest("script, style, noscript")) continue;
  range.selectNodeContents(text);
  const box = text.parentElement.closest("button, .button, .letters, .detail, main") ?? document.body;
  const outer = box.getBoundingClientRect();
  for (const { left, right, top, bottom, width } of range.getClientRects()) {
    if (width === 0) continue;
    const isIn = left >= 0 && right <= innerWidth + 0.5 && left >= outer.left - 0.5 && right <= outer.right + 0.5
      && top >= outer.top - 0.5 && bottom <= outer.bottom + 0.5;
    if (!isIn) faults.push(`"${text.data.trim().slice(0, 40)}" is cut in its ${box.localName}`);
  }
}
return faults;
