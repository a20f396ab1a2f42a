"""A receiver of webhooks on this machine, at the address the host reaches."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab import wait_for


class Delivery:
    def __init__(self, headers, text):
        self.job = headers.get("X-Job-UUID")
        self.success = headers.get("X-Job-Success")
        self.headers = dict(headers)
        self.body = json.loads(text)


class Webhooks:
    def __init__(self, address, port=0):
        self.lock = threading.Lock()
        self.deliveries = []
        self.statuses = []  # answered to the next deliveries; 200 when empty
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with receiver.lock:
                    status = receiver.statuses.pop(0) if receiver.statuses else 200
                    receiver.deliveries.append(Delivery(self.headers, text))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

        self.server = Server((address, port), Handler)
        self.port = self.server.server_port
        self.url = f"http://{address}:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def of(self, job):
        with self.lock:
            return [delivery for delivery in self.deliveries if delivery.job == job]

    def wait(self, job, timeout_s=20):
        return wait_for(lambda: self.of(job), timeout_s, f"a webhook of job {job}")[0]
