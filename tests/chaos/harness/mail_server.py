"""A mail server that accepts, is unavailable, or is over its daily limit, as its state says."""

import socketserver
import threading
from typing import Any, Literal

Mode = Literal["accepting", "unavailable", "over-limit"]


class MailServer:
    """Listens on a free port until `close`; accepts at first."""

    def __init__(self) -> None:
        self.mode: Mode = "accepting"
        server = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                if server.mode == "unavailable":
                    self.wfile.write(b"421 4.3.2 Service not available, closing transmission channel\r\n")
                    return
                self.wfile.write(b"220 mail.example ESMTP\r\n")
                in_data = False
                for line in self.rfile:
                    word = line.strip().upper()
                    if in_data and word != b".":
                        continue
                    in_data = word == b"DATA"
                    self.wfile.write(server.reply(word))
                    if word == b"QUIT":
                        return

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that disconnects is nothing to report."""

        self._server = Server(("127.0.0.1", 0), Session)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def reply(self, command: bytes) -> bytes:
        """The reply to a command, or to the end of a message."""
        if command == b"DATA":
            return b"354 Go on\r\n"
        if command == b"QUIT":
            return b"221 Bye\r\n"
        if command.startswith(b"RCPT") and self.mode == "over-limit":
            return b"550 5.4.5 Daily user sending limit exceeded\r\n"
        return b"250 OK\r\n"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
