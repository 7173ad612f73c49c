// What axe-core finds on the page as it stands there, by the rules that are named, or by all of them.
// A mail is a document without landmarks.
const [rules, isMail] = RUN;
const options = { resultTypes: ["violations"] };
if (rules.length) options.runOnly = { type: "rule", values: rules };
if (isMail) options.rules = { region: { enabled: false }, "landmark-one-main": { enabled: false } };
return axe.run(document, options).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map((node) => `axe ${id}: ${node.html.slice(0, 120)}`)));
