import Foundation
import Policy
import Suspensions
import Synchronization
import TestSupport
import Testing

@testable import ControlPlane

@Suite("reads of users at their service")
struct ServiceReadsTests {
    @Test("whoever waits for a user or a page when reading ends is answered, and whoever asks afterwards, without a word to people")
    func end() throws {
        let upstream = try RecordingUpstream { _ in [.hang] }
        let workspace = FileWorkspace()
        workspace.write("secrets/service", "token-of-the-gateway\n", mode: 0o600)
        let dialect = "rinne: {dialect: dialects/rinne.yaml"
        let text = goodFile.replacing(dialect, with: dialect + ", service_tokens: [{file: secrets/service}]").replacing(
            "127.0.0.1:9102", with: "127.0.0.1:\(upstream.port)")
        let configuration = try #require(workspace.check(text).configuration)
        var maker = UpstreamMaker()
        let upstreams = try configuration.upstreams.map { try maker.make($0) }
        let said = Mutex<[String]>([])
        let suspensions = try LedgerGlance(configuration).snapshot(of: configuration).suspensions
        let reads = ServiceReads(suspensions, say: { line in said.withLock { $0.append(line) } }, figures: { [] })
        #expect(reads.follow(configuration, upstreams))
        let list = try #require(reads.lists(of: 1).first)
        let subject = Subject(directory: 1, tenant: nil, user: UserID(Array("anna".utf8).span, format: .string)!)
        let answers = Mutex<[String]>([])
        func ask() {
            reads.read(subject) { outcome in
                if case .sick = outcome { answers.withLock { $0.append("user") } }
            }
            reads.page(1, of: list) { page in
                if case .failure = page { answers.withLock { $0.append("page") } }
            }
        }
        ask()
        let end = Date.now.addingTimeInterval(20)
        var asked = 0
        while asked < 2, Date.now < end {
            asked += upstream.takeRequests().count
            usleep(5000)
        }
        #expect(asked == 2 && answers.withLock { $0.isEmpty })
        reads.end()
        #expect(answers.withLock { $0.sorted() } == ["page", "user"])
        ask()
        #expect(answers.withLock { $0.sorted() } == ["page", "page", "user", "user"])
        #expect(said.withLock { $0.isEmpty })
    }
}
