"""Servers that images come from, and that break off when a test wants it."""
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class BreakingServer(ThreadingHTTPServer):
    """HTTP with ranges and an ETag. Request n is cut after `break_after[n]` bytes; `served` has (begin, bytes sent) of each."""
    daemon_threads = True

    def __init__(self, address, path, break_after=(), bytes_per_s=None):
        self.data = Path(path).read_bytes()
        self.etag = '"the-one"'
        self.break_after = list(break_after)
        self.bytes_per_s = bytes_per_s
        self.served = []
        super().__init__((address, 0), self.make_handler())
        self.url = f"http://{address}:{self.server_port}/image"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def sent(self):
        return sum(sent for _, sent in self.served)

    def make_handler(outer):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
                begin = int(wanted[1]) if wanted and self.headers.get("If-Range") in (None, outer.etag) else 0
                self.send_response(206 if begin else 200)
                if begin:
                    self.send_header("Content-Range", f"bytes {begin}-{len(outer.data) - 1}/{len(outer.data)}")
                self.send_header("Content-Length", str(len(outer.data) - begin))
                self.send_header("ETag", outer.etag)
                self.end_headers()
                number = len(outer.served)
                outer.served.append((begin, 0))
                end = len(outer.data)
                if number < len(outer.break_after):
                    end = min(end, begin + outer.break_after[number])
                self.send_slowly(number, begin, end)

            def send_slowly(self, number, begin, end):
                step = outer.bytes_per_s // 20 if outer.bytes_per_s else 256 * 1024
                try:
                    for at in range(begin, end, step):
                        piece = outer.data[at:min(at + step, end)]
                        self.wfile.write(piece)
                        outer.served[number] = (begin, outer.served[number][1] + len(piece))
                        if outer.bytes_per_s:
                            time.sleep(0.05)
                except OSError:
                    pass
                self.close_connection = True

            def log_message(self, *_):
                pass

        return Handler

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class FtpServer:
    """Passive FTP for one user and one file. Transfer n is cut after `break_after[n]` bytes; `begins` has where each began."""

    def __init__(self, address, path, user, password, break_after=()):
        self.data = Path(path).read_bytes()
        self.user, self.password = user, password
        self.break_after = list(break_after)
        self.begins = []
        self.address = address
        self.listener = socket.create_server((address, 0))
        self.url = f"ftp://{user}:{password}@{address}:{self.listener.getsockname()[1]}/disk.raw"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            self.talk(connection)
        except OSError:
            pass  # the client has what it wants

    def talk(self, connection):
        def say(line):
            connection.sendall((line + "\r\n").encode())

        user, begin, data = "", 0, None
        say("220 ready")
        for line in connection.makefile("r", encoding="utf-8", newline="\r\n"):
            command, _, argument = line.strip().partition(" ")
            command = command.upper()
            if command == "USER":
                user = argument
                say("331 password")
            elif command == "PASS":
                say("230 in" if (user, argument) == (self.user, self.password) else "530 no")
            elif command == "PWD":
                say('257 "/"')
            elif command in ("TYPE", "CWD"):
                say("200 well")
            elif command == "SIZE":
                say(f"213 {len(self.data)}")
            elif command == "MDTM":
                say("213 20240101000000")
            elif command == "EPSV":
                data = socket.create_server((self.address, 0))
                say(f"229 here (|||{data.getsockname()[1]}|)")
            elif command == "REST":
                begin = int(argument)
                say("350 from there")
            elif command == "RETR":
                say(f"150 here it comes ({len(self.data) - begin} bytes)")
                self.send(data, begin)
                say("226 done")
            elif command == "QUIT":
                say("221 bye")
                return
            else:
                say("502 what?")

    def send(self, listener, begin):
        number = len(self.begins)
        self.begins.append(begin)
        end = len(self.data)
        if number < len(self.break_after):
            end = min(end, begin + self.break_after[number])
        with listener.accept()[0] as line:
            try:
                line.sendall(self.data[begin:end])
            except OSError:
                pass  # the client has what it wants
        listener.close()
