
// Two clicks post once: the second post would cancel the first, which may already have sent a mail
// or used a link up.
let last = -Infinity;
addEventListener("submit", (event) => {
  if (5000 > event.timeStamp - last) event.preventDefault();
  else last = event.timeStamp;
});
addEventListener("pageshow", () => {
  last = -Infinity;
});
