/// The handshake is done: what was agreed on.
package struct TLSHandshakeCompleted: Sendable, Equatable {
    /// By ALPN; `nil`: the client offers none, which means HTTP/1.1.
    package let applicationProtocol: String?
    /// The name that the client asked for (SNI), as it sent it.
    package let serverName: String?
    package let version: TLSVersion
    /// The session is a resumed one.
    package let resumed: Bool
    /// The client's certificate in DER, verified in this handshake or in that of the resumed session; `nil`: it has none, or we are the
    /// client.
    package let clientCertificate: [UInt8]?

    package init(
        applicationProtocol: String?, serverName: String?, version: TLSVersion, resumed: Bool, clientCertificate: [UInt8]? = nil
    ) {
        self.applicationProtocol = applicationProtocol
        self.serverName = serverName
        self.version = version
        self.resumed = resumed
        self.clientCertificate = clientCertificate
    }
}
