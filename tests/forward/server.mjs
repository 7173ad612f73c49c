// A guarded service by Node, as small servers of files are written: node server.mjs FOLDER.
// It tells at /seen what it was asked. /upload reads the whole body, and says how long it was. /events begins a stream, and
// does not end it.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

const folder = process.argv[2];

const seen = [];

const server = createServer(async (request, response) => {
  try {
    const [path] = request.url.split("?");
    if (path === "/seen") {
      response.end(JSON.stringify(seen));
      return;
    }
    const raw = request.rawHeaders;
    const fields = raw.flatMap((name, i) => (i % 2 ? [] : [[name, raw[i + 1]]]));
    seen.push({ version: request.httpVersion, path, fields });
    if (path === "/upload") {
      let length = 0;
      for await (const piece of request) length += piece.length;
      response.end(`${length}\n`);
      return;
    }
    if (path === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: first\n\n");
      return;
    }
    response.end(await readFile(join(folder, decodeURIComponent(path))));
  } catch {
    response.statusCode = 404;
    response.end("not found\n");
  }
});

server.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
