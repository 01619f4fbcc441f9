"""A name server and a TLS server on loopback, for tests/image/run.sh.

    servers.py CERTIFICATE KEY PORT

Answers A of receiver.kai.test with 127.0.0.1 and everything else with NXDOMAIN, on 127.0.0.99:53, where the resolv.conf of the
test points; answers every HTTPS request on 127.0.0.1:PORT with 200. Prints a line for each name that it is asked for. Ends by
itself after five minutes.
"""

import http.server
import socketserver
import ssl
import sys
import threading

NAME = b"\x08receiver\x03kai\x04test\x00"


class Names(socketserver.BaseRequestHandler):
    def handle(self):
        query, socket = self.request
        end = query.index(b"\x00", 12) + 1
        question = query[12 : end + 4]
        known, wants_a = query[12:end].lower() == NAME, query[end : end + 2] == b"\x00\x01"
        if known and wants_a:
            print("asked for receiver.kai.test", flush=True)
        answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\x7f\x00\x00\x01" if known and wants_a else b""
        flags = b"\x81\x80" if known else b"\x81\x83"
        counts = b"\x00\x01" + (b"\x00\x01" if answer else b"\x00\x00") + b"\x00\x00\x00\x00"
        socket.sendto(query[:2] + flags + counts + question + answer, self.client_address)


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()


def main():
    certificate, key, port = sys.argv[1:]
    names = socketserver.ThreadingUDPServer(("127.0.0.99", 53), Names)
    web = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Web)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    web.socket = context.wrap_socket(web.socket, server_side=True)
    for server in (names, web):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait(300)


main()
