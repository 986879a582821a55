import TestSupport
import Testing

@testable import TLS

@Suite("certificates and keys") struct ConfigurationTests {
    private let folder: TemporaryFolder
    private let good: Identity

    init() throws {
        folder = try TemporaryFolder("tenantgate-tls")
        good = Identity.gateway
    }

    private func problem(chain: String? = nil, key: String? = nil, names: [String] = []) -> TLSConfigurationError? {
        do throws(TLSConfigurationError) {
            _ = try TLSContext(server: .init(certificates: [.init(chain: chain ?? good.chain, key: key ?? good.key, names: names)]))
            return nil
        } catch {
            return error
        }
    }

    @Test("a chain that can't be used is named with the cause")
    func chains() throws {
        let missing = folder.path("missing.pem")
        #expect(problem(chain: missing) == .chain(file: missing, .missing))
        #expect(problem(chain: folder.url.path) == .chain(file: folder.url.path, .unreadable("Is a directory")))
        let empty = try folder.write("", to: "empty.pem")
        #expect(problem(chain: empty) == .chain(file: empty, .notPEM))
        let noise = try folder.write("certainly not a certificate", to: "noise.pem")
        #expect(problem(chain: noise) == .chain(file: noise, .notPEM))
        #expect(problem(chain: good.key) == .chain(file: good.key, .notPEM))
        let huge = try folder.write(String(repeating: "x", count: 2 << 20), to: "huge.pem")
        #expect(problem(chain: huge) == .chain(file: huge, .tooLarge))
        let weak = try Identity(["weak.test"], kind: .weak, in: folder)
        #expect(problem(chain: weak.chain, key: weak.key) == .chain(file: weak.chain, .tooWeak("ee key too small")))
    }

    @Test("a damaged chain is named, also where only a later certificate is")
    func damagedChain() throws {
        let text = try String(decoding: PEMFile.read(good.chain), as: UTF8.self)
        let half = try folder.write(String(text.prefix(text.count / 2)), to: "half.pem")
        let later = try folder.write(text + text.prefix(text.count / 2), to: "later.pem")
        for file in [half, later] {
            guard case .chain(file, .malformed) = problem(chain: file) else {
                Issue.record("\(file) was taken")
                continue
            }
        }
    }

    @Test("a key that can't be used is named with the cause")
    func keys() throws {
        let missing = folder.path("missing.key")
        #expect(problem(key: missing) == .key(file: missing, .missing))
        let empty = try folder.write("", to: "empty.key")
        #expect(problem(key: empty) == .key(file: empty, .notPEM))
        #expect(problem(key: good.chain) == .key(file: good.chain, .notPEM))
        let other = try Identity(["gateway.test"], in: folder)
        #expect(problem(key: other.key) == .keyMismatch(chain: good.chain, key: other.key))
        #expect(problem(key: Identity.rsa.key) == .keyMismatch(chain: good.chain, key: Identity.rsa.key))
    }

    @Test("an encrypted key is named as such, in both formats", arguments: [["pkcs8", "-topk8"], ["ec", "-aes128"]])
    func encryptedKey(format: [String]) throws {
        let file = folder.path("encrypted.key")
        let result = try ChildProcess.run("openssl", format + ["-in", good.key, "-out", file, "-passout", "pass:secret"], in: folder)
        try #require(result.status == 0)
        #expect(problem(key: file) == .key(file: file, .encryptedKey))
    }

    @Test("every problem's text names its file")
    func texts() {
        let problems: [TLSConfigurationError.FileProblem] = [
            .missing, .unreadable("Permission denied"), .notPEM, .malformed("bad base64"), .encryptedKey, .tooLarge, .tooWeak("small"),
        ]
        for problem in problems {
            #expect("\(TLSConfigurationError.chain(file: "a.pem", problem))".hasPrefix("a.pem: "))
            #expect("\(TLSConfigurationError.key(file: "a.key", problem))".hasPrefix("a.key: "))
        }
    }

    @Test("an expired certificate is served, with a warning")
    func expired() throws {
        let old = try Identity(["old.test"], in: folder).valid(from: -7200, to: -3600)
        let context = try TLSContext(server: .init(certificates: [old.files]))
        guard case .expired(old.chain, let since) = context.warnings.first else {
            Issue.record("no warning")
            return
        }
        #expect(since.wholeMatch(of: /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
        #expect(try Pair.connected(context, .init(name: "old.test")).client.isReady)
    }

    @Test("a certificate of the future is served, with a warning")
    func notYetValid() throws {
        let young = try Identity(["young.test"], in: folder).valid(from: 3600, to: 7200)
        guard case .notYetValid(young.chain, _) = try TLSContext(server: .init(certificates: [young.files])).warnings.first else {
            Issue.record("no warning")
            return
        }
    }

    @Test("a certificate without names that is not the default is warned of; configured names give it some")
    func nameless() throws {
        let nameless = try Identity([], in: folder)
        let context = try TLSContext(server: .init(certificates: [good.files, nameless.files]))
        #expect(context.warnings == [.neverChosen(file: nameless.chain)])
        let named = TLSServerConfiguration.Certificate(chain: nameless.chain, key: nameless.key, names: ["*.named.test"])
        let served = try TLSContext(server: .init(certificates: [good.files, named]))
        #expect(served.warnings.isEmpty)
        #expect(try !Pair.connected(served, .init(name: "a.named.test")).client.serverIs("gateway.test"))
        #expect(try Pair.connected(served, .init(name: "named.test")).client.serverIs("gateway.test"))
    }

    @Test("no certificate, a bad server name, a bad protocol name", arguments: ["", "*", "a..b", "a b", "*.*.test", "ä.test", "a.test."])
    func badNames(name: String) throws {
        #expect(throws: TLSConfigurationError.noCertificates) { try TLSContext(server: .init(certificates: [])) }
        #expect(problem(names: [name]) == .invalidName(name))
        for name in ["", String(repeating: "x", count: 256)] {
            #expect(throws: TLSConfigurationError.invalidProtocol(name)) {
                try TLSContext(server: .init(certificates: [good.files], alpn: [name]))
            }
        }
    }
}
