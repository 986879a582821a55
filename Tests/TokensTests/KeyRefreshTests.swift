import Policy
import Synchronization
import Testing

@testable import Tokens

/// When keys are fetched, which are in force, and what is said about it; no socket and no clock but the test's.
@Suite("keys by URL") struct KeyRefreshTests {
    private let world = FetchedWorld()

    /// The names of the keys in force.
    private var kids: [String] {
        (world.table[FetchedWorld.origin]?.keys ?? []).map { $0.kid.map { String(decoding: $0, as: UTF8.self) } ?? "" }
    }

    @Test("the first tick fetches, the next ones wait until the set is due again")
    func interval() {
        world.answer(FetchedSets.one)
        let refresher = world.refresher()
        #expect(!refresher.hasTriedAll)
        refresher.tick()
        refresher.tick()
        #expect(refresher.hasTriedAll && kids == ["one"] && world.requests == 1)
        world.advance(299_999)
        refresher.tick()
        #expect(world.requests == 1)
        world.advance(1)
        refresher.tick()
        #expect(world.requests == 2)
        #expect(world.takeLines() == ["keys from https://id.example/keys: 1 key (one)"])
    }

    @Test("fetches are spread: up to a fifth before the time")
    func spread() {
        world.answer(FetchedSets.one)
        let refresher = world.refresher(spread: 1)
        refresher.tick()
        world.advance(239_999)
        refresher.tick()
        #expect(world.requests == 1)
        world.advance(1)
        refresher.tick()
        #expect(world.requests == 2)
    }

    @Test(
        "the issuer's freshness shortens the time between fetches, within bounds",
        arguments: [
            (nil, 300_000), (86_400, 300_000), (300, 300_000), (60, 60_000), (10, 10_000), (1, 10_000), (0, 10_000), (Int64.max, 300_000),
        ]
            as [(Int64?, Int64)])
    func freshness(maxAge: Int64?, milliseconds: Int64) {
        world.answer(FetchedSets.one, maxAge: maxAge)
        let refresher = world.refresher()
        refresher.tick()
        world.advance(milliseconds - 1)
        refresher.tick()
        #expect(world.requests == 1)
        world.advance(1)
        refresher.tick()
        #expect(world.requests == 2)
    }

    @Test("a fetch that fails is tried again, at doubling intervals up to the usual one; the same cause is told once")
    func retries() {
        world.fail(.connect, "refused")
        let refresher = world.refresher()
        var waits: [Int64] = []
        var last = world.now
        while waits.count < 12 {
            let before = world.requests
            refresher.tick()
            if world.requests > before {
                waits.append(world.now - last)
                last = world.now
            }
            world.advance(500)
        }
        #expect(waits == [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000])
        #expect(
            world.takeLines() == [
                "keys from https://id.example/keys: can't be fetched: connect: refused; there are none yet: its tokens are answered by 503 keys_unavailable"
            ])
        world.fail(.status, "status 500")
        world.advance(300_000)
        refresher.tick()
        world.answer(FetchedSets.one)
        world.advance(300_000)
        refresher.tick()
        let lines = world.takeLines()
        #expect(lines.count == 2 && lines[0].contains("status: status 500") && lines[1].hasSuffix(": 1 key (one)"))
    }

    @Test("a set that can't be used is refused whole, and the old one stays", arguments: FetchFailure.Cause.allCases)
    func oldSetStays(cause: FetchFailure.Cause) {
        world.answer(FetchedSets.two)
        let refresher = world.refresher()
        refresher.tick()
        _ = world.takeLines()
        world.fail(cause)
        world.advance(300_000)
        refresher.tick()
        #expect(kids == ["one", "two"])
        #expect(refresher.statuses[0].error?.cause == cause && refresher.statuses[0].keyCount == 2)
        #expect(world.takeLines().first?.contains("the keys of 300 s ago serve for 23 h more") != true)
        #expect(refresher.statuses[0].age(now: world.now) == 300_000)
    }

    private static let unusableSets: [(String, FetchFailure.Cause)] = [
        ("", .parse), ("<html>", .parse), ("{}", .parse), ("[]", .parse), (#"{"keys":{}}"#, .parse), (#"{"keys":[1]}"#, .parse),
        (#"{"keys":[],"keys":[]}"#, .parse), (#"{"keys":[]} x"#, .parse), (#"{"keys":[]}"#, .empty),
        (#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#, .empty), (#"{"keys":[{"kty":"unheard-of"}]}"#, .empty),
        ("{\"keys\":[\(Array(repeating: "{\"kty\":\"x\"}", count: 257).joined(separator: ","))]}", .parse),
    ]

    @Test("what is no set of usable keys is refused with its cause", arguments: unusableSets)
    func unusable(body: String, cause: FetchFailure.Cause) {
        world.answer(FetchedSets.one)
        let refresher = world.refresher()
        refresher.tick()
        world.answer(Array(body.utf8))
        world.advance(300_000)
        refresher.tick()
        #expect(kids == ["one"] && refresher.statuses[0].error?.cause == cause)
    }

    @Test("a bad key among good ones is left out and told; of two with one kid the first serves")
    func badKeys() throws {
        let bad = JWKText.rsa(.smallRSA, ["kid": "\"small\""])
        world.answer(JWKText.set(FetchedSets.rsa(.rsa, "one"), bad, FetchedSets.rsa(.otherRSA, "one")))
        let refresher = world.refresher()
        refresher.tick()
        #expect(kids == ["one"])
        #expect(refresher.statuses[0].leftOut.map(\.error) == [.rsaSize(bits: 1024), .duplicateKid])
        let line = try #require(world.takeLines().first)
        #expect(line.contains("1 key (one); left out: keys[1] (kid small): an RSA key of 1024 bits") && line.contains("keys[2] (kid one)"))
        #expect(refresher.statuses[0].error == nil)
    }

    @Test("the last good set serves for max_stale, then its issuer's tokens are answered by 503, until a fetch is good again")
    func stale() {
        world.answer(FetchedSets.one)
        let refresher = world.refresher()
        refresher.tick()
        world.fail(.connect)
        world.advance(86_399_999)
        refresher.tick()
        #expect(kids == ["one"] && world.table[FetchedWorld.origin]?.isAvailable == true)
        world.advance(1)
        refresher.tick()
        #expect(kids == [] && world.table[FetchedWorld.origin]?.isAvailable == false && !refresher.statuses[0].isAvailable)
        #expect(world.takeLines().last?.contains("older than max_stale (24 h)") == true)
        world.answer(FetchedSets.one)
        world.advance(300_000)
        refresher.tick()
        #expect(kids == ["one"])
    }

    @Test("an unchanged set changes nothing: the same keys, no word, no new table")
    func unchanged() {
        world.answer(FetchedSets.two)
        let refresher = world.refresher()
        refresher.tick()
        let (set, published) = (world.table[FetchedWorld.origin], world.published)
        world.advance(300_000)
        refresher.tick()
        #expect(world.requests == 2 && world.table[FetchedWorld.origin] === set && world.published == published)
        #expect(world.takeLines().count == 1)
        world.answer(FetchedSets.second)
        world.advance(300_000)
        refresher.tick()
        #expect(kids == ["two"] && world.table[FetchedWorld.origin]?.keys.first === set?.keys.last)
    }

    @Test("the same document is not read again; another one with the same keys is, and they stay")
    func sameDocument() throws {
        func download(_ document: [UInt8], knowing known: [UInt8]?) -> DownloadedKeys.Content? {
            world.answer(document)
            let content = Mutex<DownloadedKeys.Content?>(nil)
            let fetch: KeyFetch = { _, completion in completion(.success(FetchedDocument(body: document))) }
            FetchedWorld.origin.download(KeyOrigin.Asking(known: known), by: fetch) { result in
                content.withLock { $0 = try? result.get().content }
            }
            return content.withLock { $0 }
        }
        guard case .keys(let keys) = download(FetchedSets.one, knowing: nil) else { throw CancellationError() }
        guard case .same(let same) = download(FetchedSets.one, knowing: keys.digest), same == keys.digest else { throw CancellationError() }
        guard case .keys = download(FetchedSets.two, knowing: keys.digest) else { throw CancellationError() }
        let refresher = world.refresher()
        world.answer(FetchedSets.one)
        refresher.tick()
        refresher.tick()
        let set = world.table[FetchedWorld.origin]
        for document in [FetchedSets.one + [0x20], FetchedSets.one] {
            world.answer(document)
            world.advance(300_000)
            refresher.tick()
            refresher.tick()
            #expect(world.table[FetchedWorld.origin] === set)
        }
        #expect(refresher.statuses[0].lastSuccess == world.now && world.requests == 3)
    }

    @Test("a set that was let go while the same was on its way is fetched again, whole")
    func sameTooLate() {
        world.answer(FetchedSets.one)
        let refresher = world.refresher()
        refresher.tick()
        world.advance(300_000)
        world.hold()
        refresher.tick()
        world.advance(86_400_000)
        refresher.tick()
        #expect(kids == [] && !refresher.statuses[0].isAvailable)
        world.letGo()
        refresher.tick()
        refresher.tick()
        #expect(kids == ["one"] && refresher.statuses[0].isAvailable && world.requests == 3)
    }

    @Test("a slow fetch is the only one of its origin")
    func slow() {
        world.answer(FetchedSets.one)
        world.hold()
        let refresher = world.refresher()
        for _ in 0..<100 {
            refresher.tick()
            world.advance(60_000)
        }
        #expect(world.requests == 1 && !refresher.hasTriedAll)
        world.letGo()
        refresher.tick()
        #expect(kids == ["one"])
        refresher.end()
        world.advance(3_600_000)
        refresher.tick()
        #expect(world.requests == 1)
    }

    @Test("origins that leave the file are let go, those that stay keep what is known")
    func follow() throws {
        let other = KeyOrigin(.keySet(try FetchURL("https://other.example/keys")), algorithms: [.rs256])
        world.answer(FetchedSets.one)
        world.answer(FetchedSets.second, at: "https://other.example/keys")
        let refresher = world.refresher()
        refresher.tick()
        let set = world.table[FetchedWorld.origin]
        refresher.follow([other, FetchedWorld.origin])
        refresher.tick()
        refresher.tick()
        #expect(world.requests == 2 && world.table[FetchedWorld.origin] === set && world.table[other]?.keys.count == 1)
        // The same keys at other times are known already.
        var sooner = FetchedWorld.origin
        sooner.refresh = 1000
        world.fail(.connect)
        refresher.follow([sooner, other])
        #expect(refresher.hasTriedAll && world.table[sooner] === set && refresher.statuses[0].keyCount == 1)
        refresher.tick()
        #expect(world.requests == 3 && world.table[sooner] === set)
        refresher.follow([other])
        refresher.tick()
        #expect(world.table[FetchedWorld.origin] == nil && world.table[other]?.keys.count == 1)
    }
}

/// OpenID Connect Discovery 1.0.
@Suite("discovery") struct DiscoveryTests {
    private static let metadata = "https://id.example/.well-known/openid-configuration"
    private static let origin = KeyOrigin(
        .discovery(try! FetchURL(metadata), issuer: Array("https://id.example".utf8)), algorithms: [.rs256])

    @Test("the issuer's metadata names the key set")
    func good() {
        let world = FetchedWorld()
        world.answer(Array(#"{"issuer":"https://id.example","jwks_uri":"https://id.example/keys?v=2"}"#.utf8), at: Self.metadata)
        world.answer(FetchedSets.one)
        let refresher = world.refresher([Self.origin])
        refresher.tick()
        refresher.tick()
        #expect(world.requests == 2 && world.table[Self.origin]?.keys.count == 1)
    }

    @Test(
        "metadata that is wrong leads nowhere",
        arguments: [
            (#"{"issuer":"https://id.example/","jwks_uri":"https://id.example/keys"}"#, .issuer),
            (#"{"issuer":"https://evil.example","jwks_uri":"https://id.example/keys"}"#, .issuer),
            (#"{"jwks_uri":"https://id.example/keys"}"#, .parse), (#"{"issuer":1,"jwks_uri":"https://id.example/keys"}"#, .parse),
            (#"{"issuer":"https://id.example"}"#, .parse), (#"{"issuer":"https://id.example","jwks_uri":["x"]}"#, .parse),
            (#"{"issuer":"https://id.example","jwks_uri":"http://id.example/keys"}"#, .parse),
            (#"{"issuer":"https://id.example","jwks_uri":"http://127.0.0.1:9900/metrics"}"#, .parse),
            (#"{"issuer":"https://id.example","jwks_uri":"/keys"}"#, .parse),
            (#"{"issuer":"https://id.example","issuer":"https://id.example","jwks_uri":"https://id.example/keys"}"#, .parse), ("", .parse),
        ] as [(String, FetchFailure.Cause)])
    func wrong(body: String, cause: FetchFailure.Cause) {
        let world = FetchedWorld()
        world.answer(Array(body.utf8), at: Self.metadata)
        world.answer(FetchedSets.one)
        let refresher = world.refresher([Self.origin])
        refresher.tick()
        #expect(world.requests == 1 && refresher.statuses[0].error?.cause == cause && !refresher.statuses[0].isAvailable)
    }
}
