
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
  const seconds = count(left % 60, said.seconds);
  if (!minutes) return seconds;
  if (!(left % 60)) return count(minutes, said.minutes);
  return said.both.replace("{minutes}", count(minutes, said.minutes)).replace("{seconds}", seconds);
};
const tick = () => {
  const left = Math.ceil((end - Date.now()) / 1000);
  if (left > 0) {
    if (3600 > left) wait.querySelector("span:not(.whole)").textContent = words(left);
    return;
  }
  clearInterval(timer);
  again.disabled = false;
  wait.hidden = true;
  ready.append(readyWords.content);
};
const timer = setInterval(tick, 1000);
again.disabled = true;
tick();
