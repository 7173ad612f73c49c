// A guarded service by Node, as small servers of files are written: node server.mjs FOLDER.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

const folder = process.argv[2];

const server = createServer(async (request, response) => {
  try {
    const [path] = request.url.split("?");
    response.end(await readFile(join(folder, decodeURIComponent(path))));
  } catch {
    response.statusCode = 404;
    response.end("not found\n");
  }
});

server.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
