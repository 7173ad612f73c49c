
// Two clicks are one: the second would call off the first, which may have sent a mail or used a link up by then.
let last = -Infinity;
addEventListener("submit", (event) => {
  if (5000 > event.timeStamp - last) event.preventDefault();
  else last = event.timeStamp;
});
addEventListener("pageshow", () => {
  last = -Infinity;
});
