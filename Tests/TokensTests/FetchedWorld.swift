import Policy
import Synchronization

@testable import Tokens

/// An issuer, a clock and a log made of values: what a `KeyRefresher` needs of the world.
final class FetchedWorld: Sendable {
    typealias Answer = Result<FetchedDocument, FetchFailure>

    private struct State {
        var milliseconds: Int64 = 1_000_000
        var answers: [String: Answer] = [:]
        var requests: [String] = []
        var lines: [String] = []
        var isHeld = false
        var held: [@Sendable () -> Void] = []
        var table = KeyTable.empty
        var published = 0
    }

    private let state = Mutex(State())

    static let keySet = "https://id.example/keys"
    static let origin = KeyOrigin(.keySet(try! FetchURL(keySet)), algorithms: [.rs256, .es256, .edDSA])

    /// A refresher whose issuer answers as `answer` says.
    func refresher(_ origins: [KeyOrigin] = [origin], spread: Double = 0) -> KeyRefresher {
        let refresher = KeyRefresher(
            origins: origins,
            KeyRefresher.Surroundings(
                fetch: { [self] request, completion in fetch(request, completion) },
                now: { [self] in state.withLock { $0.milliseconds } }, unix: { World.now }, spread: { spread },
                say: { [self] line in state.withLock { $0.lines.append(line) } }))
        refresher.attach { [self] table in
            state.withLock {
                $0.table = table
                $0.published += 1
            }
        }
        return refresher
    }

    private func fetch(_ request: KeyRequest, _ completion: @escaping @Sendable (Answer) -> Void) {
        let url = request.url.shown
        let isHeld = state.withLock { state in
            state.requests.append(url)
            let answer = state.answers[url] ?? .failure(FetchFailure(.dns, "no such host"))
            if state.isHeld { state.held.append { completion(answer) } }
            return state.isHeld
        }
        if !isHeld { completion(state.withLock { $0.answers[url] } ?? .failure(FetchFailure(.dns, "no such host"))) }
    }

    func answer(_ body: [UInt8], at url: String = keySet, maxAge: Int64? = nil) {
        state.withLock { $0.answers[url] = .success(FetchedDocument(body: body, maxAge: maxAge)) }
    }

    func fail(_ cause: FetchFailure.Cause, _ detail: String = "because") {
        state.withLock { $0.answers[Self.keySet] = .failure(FetchFailure(cause, detail)) }
    }

    /// Answers are kept back until they are let go.
    func hold() { state.withLock { $0.isHeld = true } }
    func letGo() {
        let held = state.withLock { state in
            defer { (state.isHeld, state.held) = (false, []) }
            return state.held
        }
        for answer in held { answer() }
    }

    func advance(_ milliseconds: Int64) { state.withLock { $0.milliseconds += milliseconds } }
    var now: Int64 { state.withLock { $0.milliseconds } }
    var requests: Int { state.withLock { $0.requests.count } }
    var table: KeyTable { state.withLock { $0.table } }
    var published: Int { state.withLock { $0.published } }

    func takeLines() -> [String] {
        state.withLock { state in
            defer { state.lines = [] }
            return state.lines
        }
    }
}

/// Sets with the keys that these tests rotate.
enum FetchedSets {
    static func rsa(_ key: SigningKey, _ kid: String) -> String { JWKText.rsa(key, ["kid": "\"\(kid)\"", "use": "\"sig\""]) }
    static let one = JWKText.set(rsa(.rsa, "one"))
    static let two = JWKText.set(rsa(.rsa, "one"), rsa(.otherRSA, "two"))
    static let second = JWKText.set(rsa(.otherRSA, "two"))
    static let swapped = JWKText.set(rsa(.otherRSA, "one"))

    /// A token of `https://fetched.example` that names `kid` and is signed by `key`.
    static func token(_ key: SigningKey, _ kid: String?, _ changes: [String: String?] = [:]) -> [UInt8] {
        let name = kid.map { ",\"kid\":\"\($0)\"" } ?? ""
        return Forge.token("{\"alg\":\"RS256\"\(name)}", payload("fetched", changes), .key(key, .rs256))
    }

    static func authority(_ origin: KeyOrigin = FetchedWorld.origin) throws -> TokenAuthority {
        try TokenAuthority(blocks: [
            CredentialBlock(
                issuer: World.id("https://fetched.example"), directory: 0, userFormat: .string, tenantFormat: .string,
                audiences: [World.id("api")], algorithms: origin.algorithms, origin: origin)
        ])
    }
}
