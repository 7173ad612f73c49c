"""A guarded service, by a real ASGI server: python server.py hypercorn|uvicorn FOLDER.

It serves the files of FOLDER, echoes WebSocket messages, answers any other request with its method, path and
header fields, and tells at /seen what it was asked. /upload reads the whole body, and says how long it was. /events begins
a stream, and does not end it.
"""

import asyncio
import json
import os
import socket
import sys

from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

files = StaticFiles(directory=sys.argv[2])
seen = []


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await echo(receive, send)
    elif scope["path"] == "/seen":
        await answer(send, 200, json.dumps(seen))
    else:
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        seen.append({"version": scope["http_version"], "path": scope["path"], "fields": fields})
        if scope["path"] == "/upload":
            await upload(receive, send)
            return
        if scope["path"] == "/events":
            await events(receive, send)
            return
        try:
            await files(scope, receive, send)
        except HTTPException:
            lines = [f"{name}: {value}\n" for name, value in fields]
            await answer(send, 200, f"{scope['method']} {scope['path']}\n" + "".join(lines))


async def echo(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


async def upload(receive, send):
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message["body"]), message.get("more_body", False)
    await answer(send, 200, f"{length}\n")


async def events(receive, send):
    fields = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": b"data: first\n\n", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


async def answer(send, status, text):
    body = text.encode()
    fields = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def hypercorn(listener):
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.accesslog = None
    asyncio.run(serve(app, config))


def uvicorn(listener):
    from uvicorn import Config, Server

    asyncio.run(Server(Config(app, log_level="warning", ws="wsproto")).serve([listener]))


listener = socket.create_server(("127.0.0.1", 0))
os.set_inheritable(listener.fileno(), True)
print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
{"hypercorn": hypercorn, "uvicorn": uvicorn}[sys.argv[1]](listener)
