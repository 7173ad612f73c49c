// Reads mails, a line of JSON each, and prints the links that a mail program in JavaScript finds in
// their text: for tests/smtp. Its argument is the folder that has the packages of package.json.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/`);
const PostalMime = require("postal-mime");
const { LinkifyIt } = require("linkify-it");

const linkifier = new LinkifyIt();
for await (const line of createInterface({ input: process.stdin })) {
    const { text } = await PostalMime.parse(JSON.parse(line));
    const links = linkifier.match(text) ?? [];
    const pages = links.filter(link => link.schema !== "mailto:");
    console.log(JSON.stringify(pages.map(link => link.url)));
}
