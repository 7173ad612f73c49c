
// Keeps the fragment of where the person wants to go (#part) in this browser: it is never sent. The link may be
// opened in another tab, so it is kept for all of them, each way back for itself; used once, at most a day old.
try {
  const HOUR = 3600000;
  const form = document.querySelector("form");
  const wanted = new URL(form.action).searchParams.get("return_to") || "/";
  const key = "magic-link:" + new URL(wanted, location.origin).href;
  const age = (key) => Date.now() - parseInt(localStorage.getItem(key), 10);
  for (const old of Object.keys(localStorage)) {
    if (old.startsWith("magic-link:") && !(24 * HOUR > age(old))) localStorage.removeItem(old);
  }
  if (location.hash) localStorage.setItem(key, Date.now() + location.hash);
  // A form that is shown again has no fragment in its address any more: what was kept a moment ago is its own.
  if (HOUR > age(key)) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "fragment";
    field.value = "kept";
    form.append(field);
  }
} catch {
  // Without storage nothing is kept, and the form says so by having no field.
}
