"""A mail server for the tests: TLS or STARTTLS, a login, and for each mail a file as it came, and one with its parts decoded.
Prints its port when it listens."""

import email
import email.policy
import json
import pathlib
import socket
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP

mode, certificate, key, folder = sys.argv[1], sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])


class Handler:
    count = 0

    async def handle_DATA(self, server, session, envelope):
        Handler.count += 1
        path = folder / f"{Handler.count}.eml"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
        read = {"type": mail.get_content_type(), "subject": mail["Subject"], "parts": parts}
        path.with_suffix(".json").write_text(json.dumps(read))
        path.with_suffix(".part").write_bytes(envelope.content)
        path.with_suffix(".part").rename(path)
        return "250 taken"


def login(server, session, envelope, mechanism, data):
    shown = (getattr(data, "login", b""), getattr(data, "password", b""))
    # What isn't "handled" the server answers itself, with a 535.
    return AuthResult(success=shown == (b"ann", b"p@ss/word%41"), handled=False)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
options = {"authenticator": login, "auth_required": True}


class Server(Controller):
    def factory(self):
        starttls = {"tls_context": context, "require_starttls": True} if mode == "starttls" else {"auth_require_tls": False}
        return SMTP(self.handler, hostname="localhost", **starttls, **options)


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
port = listener.getsockname()[1]
listener.close()
server = Server(Handler(), hostname="127.0.0.1", port=port, ssl_context=context if mode == "tls" else None)
server.start()
print(port, flush=True)
# Ends with whoever started it.
sys.stdin.read()
server.stop()
