
// Counts down to the next mail. A screen reader announces only the end, not every second.
const again = document.getElementById("again");
const wait = document.getElementById("wait");
const end = Date.now() + wait.dataset.seconds * 1000;
const count = (number, unit) => number && number + " " + unit + (number === 1 ? "" : "s");
const words = (left) => [count(Math.floor(left / 60), "minute"), count(left % 60, "second")].filter(Boolean).join(" and ");
const tick = () => {
  const left = Math.ceil((end - Date.now()) / 1000);
  if (left > 0) {
    if (3600 > left) wait.firstElementChild.textContent = words(left);
    return;
  }
  clearInterval(timer);
  again.disabled = false;
  wait.hidden = true;
  document.getElementById("ready").textContent = "You can ask for a new one now.";
};
const timer = setInterval(tick, 1000);
again.disabled = true;
tick();
