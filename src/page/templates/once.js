
// Two clicks are one: the second would call off the first, whose answer may have been the only one.
let last = -Infinity;
addEventListener("submit", (event) => {
  if (2000 > event.timeStamp - last) event.preventDefault();
  else last = event.timeStamp;
});
