"""A client that works beside others, and sends a request again when the agent was not there to answer it."""
import threading
import time

import requests

PATIENCE_S = 30  # the agent may be gone at any moment, and must come back


class InsistentClient(threading.Thread):
    broken = requests.ConnectionError  # what means the same request again; any other answer stands

    def __init__(self, own, end):
        super().__init__(daemon=True)
        self.api = own.api.copy()
        self.world = own.world
        self.end = end
        self.repeated = 0
        self.trouble = None

    def run(self):
        try:
            self.work()
        except BaseException as error:  # shown by the test
            self.trouble = error

    def work(self):
        raise NotImplementedError

    def insist(self, call):
        give_up = time.monotonic() + PATIENCE_S
        while True:
            try:
                return call()
            except self.broken:
                self.repeated += 1
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.05)
