"""Moto's server, one request after the other.

Its DynamoDB checks the conditions of a transaction and writes in two steps; two threads in between both win, where the real one lets
one of them win. Requests still interleave: each is a whole, as it is there.
"""

import sys
from threading import Lock

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple


def serial(app):
    """The application, with each answer made whole before the next request is looked at."""
    lock = Lock()

    def one(environ, start_response):
        with lock:
            return list(app(environ, start_response))

    return one


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), serial(DomainDispatcherApplication(create_backend_app)), threaded=True)
