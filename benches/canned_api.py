"""An API server for measurements of any size: three lists, each from a file and as one page, in JSON, whatever is asked for.

    canned_api.py PORT FOLDER        FOLDER has pods.json, a PodList; namespaces and nodes are those that its pods name

Prints a line when it listens. It knows no watch, no pages, no rights and no other object: benches/sizing.sh starts it.
"""

import json
import mmap
import re
import shutil
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

port, folder = int(sys.argv[1]), Path(sys.argv[2])
pods = folder / "pods.json"


def objects(kind, pattern):
    """A list of the objects that the pods name, with uids that stay the same."""
    with pods.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        names = sorted({found.group(1).decode() for found in re.finditer(pattern, text)})

    def item(name):
        uid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{name}"))
        return {"metadata": {"name": name, "uid": uid, "labels": {"kubernetes.io/hostname": name}}}

    head = {"kind": f"{kind}List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}}
    return json.dumps(head | {"items": [item(name) for name in names]}).encode()


answers = {
    "/api/v1/namespaces": objects("Namespace", rb'"namespace":"([^"]+)"'),
    "/api/v1/nodes": objects("Node", rb'"nodeName":"([^"]+)"'),
    "/version": json.dumps({"major": "1", "minor": "37", "gitVersion": "v1.37.2"}).encode(),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.split("?")[0]
        size = pods.stat().st_size if path == "/api/v1/pods" else len(answers.get(path, b""))
        self.send_response(200 if size else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(size))
        self.end_headers()
        try:
            if path == "/api/v1/pods":
                with pods.open("rb") as file:
                    shutil.copyfileobj(file, self.wfile, 1 << 20)
            else:
                self.wfile.write(answers.get(path, b""))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # kai is stopped while it reads

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
print(f"listening on {port}", flush=True)
server.serve_forever()
