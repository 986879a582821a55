import Policy
import Synchronization
import Testing
import Tokens

@testable import ControlPlane

/// The refresher and the fetch client together, where files change under them.
@Suite("keys that are fetched, served") struct KeyServiceTests {
    private let workspace = FileWorkspace()

    /// Where nobody listens.
    private func origin(_ name: String, trusting file: String) throws -> KeyOrigin {
        KeyOrigin(
            .keySet(try FetchURL("https://127.0.0.1:1/\(name)")), algorithms: [.rs256], authorities: "\(workspace.folder)/\(file)",
            refresh: 3_600_000)
    }

    @Test("a file of authorities that breaks later: it goes on as it was, new origins are fetched all the same, and it is told")
    func brokenAuthorities() throws {
        workspace.write("tls/ca.pem", Self.certificate)
        workspace.write("tls/never.pem", "no certificate\n")
        let lines = Mutex<[String]>([])
        let service = KeyService { line in lines.withLock { $0.append(line) } }
        defer { service.end() }
        let first = try origin("first", trusting: "tls/ca.pem")
        #expect(throws: StartFailure.self) { try service.follow([first, origin("third", trusting: "tls/never.pem")]) }
        try service.follow([first])
        workspace.write("tls/ca.pem", "broken\n")
        service.change(to: [first, try origin("second", trusting: "tls/ca.pem"), try origin("third", trusting: "tls/never.pem")])
        service.waitForFirst(milliseconds: 20_000)
        #expect(service.statuses.map { $0.error?.cause } == [.connect, .connect, .certificate])
        let told = lines.withLock { $0 }
        for file in ["tls/ca.pem", "tls/never.pem"] {
            #expect(told.contains { $0.hasPrefix("Keys can't be fetched: \(workspace.folder)/\(file)") }, "\(told)")
        }
    }

    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBdzCCAR2gAwIBAgIULPE6aOyw4Gm6EMCt3sGw0areWPkwCgYIKoZIzj0EAwIw
        EDEOMAwGA1UEAwwFdGVzdHMwIBcNMjYxMTIyMDcyNDI3WhgPMjEyNjEwMjkwNzI0
        MjdaMBAxDjAMBgNVBAMMBXRlc3RzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
        zSxajy46h3DhHX/5jZUIv2DQ3AxBkfxhiSPQiBZwig7TC5KF/qctdiHW8GER60P7
        OfUUDhgbIWz9MuccB74kQ6NTMFEwHQYDVR0OBBYEFNYMVnfO6Xy1Qu/591uzm5sC
        X+ALMB8GA1UdIwQYMBaAFNYMVnfO6Xy1Qu/591uzm5sCX+ALMA8GA1UdEwEB/wQF
        MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAM5b6HwvHVBlJSzsQwgfIPp2EA5mZHwW
        VT2bFj9szN1uAiAA6VJcWToFOdiIqoRGiUzsKp+JBUQ3YcTAg3nj11s87A==
        -----END CERTIFICATE-----

        """
}
