
// Counts down to the next mail. A screen reader announces only the end, not every second.
const again = document.getElementById("again");
const wait = document.getElementById("wait");
const end = Date.now() + wait.dataset.seconds * 1000;
const ready = document.getElementById("ready");
const readyWords = document.getElementById("ready-words");
// The words stand in the document, because a text in the script would change its hash.
const said = JSON.parse(wait.dataset.words);
let rules;
try {
  rules = new Intl.PluralRules(document.documentElement.lang);
} catch {
  rules = { select: () => "other" };
}
const count = (number, forms) => {
  const form = forms[rules.select(number)] || forms.other;
  return form.replace("{count}", number);
};
const words = (left) => {
  const minutes = Math.floor(left / 60);
  // As on the server: a wait of hours has whole minutes, rounded up.
  if (minutes >= 60) {
    const whole = Math.ceil(left / 60);
    const hours = count(Math.floor(whole / 60), said.hours);
    if (!(whole % 60)) return hours;
    const rest = count(whole % 60, said.minutes);
    return said.hours_and_minutes.replace("{hours}", hours).replace("{minutes}", rest);
  }
  const seconds = count(left % 60, said.seconds);
  if (!minutes) return seconds;
  const told = count(minutes, said.minutes);
  if (!(left % 60)) return told;
  return said.minutes_and_seconds.replace("{minutes}", told).replace("{seconds}", seconds);
};
const tick = () => {
  const left = Math.ceil((end - Date.now()) / 1000);
  if (left > 0) {
    wait.querySelector("span:not(.whole)").textContent = words(left);
    return;
  }
  clearInterval(timer);
  again.disabled = false;
  wait.hidden = true;
  // A screen reader would read it out all the same, as a description.
  const described = again.getAttribute("aria-describedby");
  again.setAttribute("aria-describedby", described.replace(" wait", ""));
  const heading = document.querySelector("h1[aria-describedby=wait]");
  if (heading) heading.removeAttribute("aria-describedby");
  ready.append(readyWords.content);
};
const timer = setInterval(tick, 1000);
again.disabled = true;
tick();
