import Foundation

@testable import ControlPlane

/// A folder with everything that the files of these tests name: dialects, secrets, certificates. Removed when it goes.
final class FileWorkspace {
    let folder: String

    init() {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tenantgate-file-\(UUID().uuidString)").path
        for name in ["var", "tls", "secrets", "dialects"] {
            try! FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        for name in ["jitsudo.yaml", "rinne.yaml"] { write("dialects/\(name)", Self.repository("config/dialects/\(name)")) }
        for name in ["jitsudo.secret", "jitsudo.secret.old", "rinne.secret", "rinne.service", "admin.token"] {
            write("secrets/\(name)", String(repeating: "0123456789abcdef", count: 4) + "\n", mode: 0o600)
        }
        for name in ["tls/gateway.pem", "tls/gateway.key"] { write(name, "not loaded by these tests\n", mode: 0o600) }
        write("tls/reports.pub.pem", Self.publicKey)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ name: String, _ text: String, mode: Int = 0o644) {
        let path = "\(folder)/\(name)"
        try! Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try! FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    /// Reads `text` as the file `gateway.yaml` of this folder.
    func check(_ text: String) -> CheckedFile {
        write("gateway.yaml", text)
        return Configuration.read(path: "\(folder)/gateway.yaml")
    }

    /// A file of the repository.
    static func repository(_ path: String) -> String {
        try! String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    }

    /// The repository, found from this file's place.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static let publicKey = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7Xpr6dXZhHkqEb+MP9bS
        1OwyE58yl/co2tSiwWo6UrsZH/g+7kCNc84M42i/EB9YUPsJHQoyh+CD/qtYryL2
        W+1mdDWstvnFfdsai7LeQlzEwdTZFylLdXZqIvsDwgHr4dVEIoxRCKpsUGXbDYhu
        UVa4dahXpGTizAmcMugB4VhPdaRBJ1m3KeDaxLOuOnVKgb67gv7j4D6lfVbCDbvt
        OmyCVJqyY4gjx8p19bPSGVBfvTgvA69l4L0gB8uiMWCK0S2vOxUk8eJMDopGptub
        jKr1OqNpj3YM5COkkKeFZGAAEnN/+eKdoSwQmrPclzzW4qu6CrF22f3fydjX1W30
        dQIDAQAB
        -----END PUBLIC KEY-----

        """
}

/// The file that the tables change: small, and everything that they touch is in it.
let goodFile = """
    version: 1
    listeners:
      - address: 127.0.0.1:8443
        tls:
          certificates:
            - {chain: tls/gateway.pem, key: tls/gateway.key}
    probes: {address: 127.0.0.1:9900}
    ledger: sqlite:var/tenantgate.db
    directories:
      jitsudo: {dialect: dialects/jitsudo.yaml}
      rinne: {dialect: dialects/rinne.yaml}
    credentials:
      - issuer: https://id.jitsudo.example
        directory: jitsudo
        audience: [user-api]
        algorithms: [HS256]
        keys: {secret_file: secrets/jitsudo.secret}
      - issuer: absent
        directory: rinne
        audience: any
        algorithms: [HS256]
        keys: {secret_file: secrets/rinne.secret}
    upstreams:
      jitsudo: {servers: ["http://127.0.0.1:9101"], directory: jitsudo}
      rinne: {servers: ["http://127.0.0.1:9102"], directory: rinne}
      login: {servers: ["http://127.0.0.1:9103"]}
    routes:
      - {path: /v1/**, upstream: jitsudo}
      - {path: "/v1/users/{user}/suspend", methods: [POST], upstream: jitsudo, require: upstream}
      - {path: /core/v1/**, upstream: rinne, require: upstream}
      - {path: /login, upstream: login, credential: none}
    limits: {token: 8KiB}

    """
