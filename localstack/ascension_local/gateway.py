"""LocalStack's web server, listening on the address it is told.

Its Twisted server takes the port of GATEWAY_LISTEN and ignores the host (4.14: "TODO: interface = host?"), which opens
an emulator without passwords to the whole network. Chosen with GATEWAY_SERVER=loopback.
"""

from __future__ import annotations

from localstack.runtime.server.core import RuntimeServer, RuntimeServerPlugin

from localstack import config


class LoopbackServerPlugin(RuntimeServerPlugin):
    name = "loopback"

    def load(self, *args: object, **kwargs: object) -> RuntimeServer:
        # Not before: Twisted installs its reactor on import.
        from localstack.runtime.server.twisted import TwistedRuntimeServer
        from rolo.gateway import Gateway
        from rolo.serving.twisted import TwistedGateway
        from twisted.internet import endpoints, reactor

        class LoopbackServer(TwistedRuntimeServer):
            def register(
                self,
                gateway: Gateway,
                listen: list[config.HostAndPort],
                ssl_creds: tuple[str, str] | None = None,
            ) -> None:
                # Plain HTTP: the certificate LocalStack would offer beside it is downloaded, and switched off.
                site = TwistedGateway(gateway)
                for address in listen:
                    endpoints.TCP4ServerEndpoint(reactor, address.port, interface=address.host).listen(site)

        return LoopbackServer()
