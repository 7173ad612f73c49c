
// Leads on, with the fragment that the sign-in page kept in this browser, if it did.
const onward = document.getElementById("onward");
try {
  const key = "magic-link:" + onward.href;
  const kept = /^(\d+)(#.+)$/.exec(localStorage.getItem(key));
  localStorage.removeItem(key);
  // The setter can change only the fragment, whatever the storage holds.
  if (kept && 86400000 > Date.now() - kept[1]) onward.hash = kept[2];
} catch {
  // Without storage there is no fragment.
}
if (onward.origin === location.origin) location.replace(onward.href);
