
// Keeps the fragment of the page that the person asked for (#part) in this browser: it is never
// sent. The link may be opened in another tab, so localStorage keeps it for all tabs, one entry for
// each page. It is used once, and for at most a day.
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
  // A form that is shown again has no fragment in its address: the one kept before belongs to it.
  if (HOUR > age(key)) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "fragment";
    field.value = "kept";
    form.append(field);
  }
} catch {
  // Without storage nothing is kept, and the form has no field.
}
