import Foundation
import TestSupport
import Testing

/// Reloads while clients ask, on kept connections and on new ones. `TENANTGATE_RELOADS=200` is the long form.
@Suite("reload under load", .serialized, .timed)
struct ReloadLoadTests {
    @Test("reloads under load fail no request, drop no connection and keep no memory; broken files in between are refused")
    func load() throws {
        let reloads = environmentNumber("TENANTGATE_RELOADS", default: 20)
        let stand = try ReloadStand()
        let other = try TestCertificate()
        try stand.folder.write(other.chain, to: "tls/other.pem")
        try stand.folder.write(other.key, to: "tls/other.key")
        let load = ReloadLoad(stand)
        load.waitForRequests(100)
        var (memory, descriptors) = (0, 0)
        for number in 0..<reloads {
            if number == reloads / 5 {
                (memory, descriptors) = (stand.gateway.process.residentMemory, stand.gateway.process.descriptorCount)
            }
            if number % 5 == 4 { try refuse(stand, number) }
            try change(stand, number)
            load.waitForRequests(10)
        }
        let grown = stand.gateway.process.residentMemory - memory
        let left = stand.gateway.process.descriptorCount - descriptors
        let result = load.stop()
        print("reload under load: \(reloads) reloads, \(result.requests) requests, \(result.connections) connections,", terminator: " ")
        print("\(result.failures.count) failed, \(memory) KiB and \(grown) more at the end, \(left) descriptors more")
        #expect(result.failures.isEmpty, "\(result.failures.prefix(5))")
        #expect(grown < 24 * 1024)
        // Connections come and go; every snapshot that left one behind would show.
        #expect(left < 40)
    }

    /// Routes, pools, the certificate and credentials in turn.
    private func change(_ stand: ReloadStand, _ number: Int) throws {
        try stand.edit {
            $0.routes = ["- {path: \"/v1/number-\(number)/**\", upstream: jitsudo}"]
            if number % 2 == 1 { $0.connections = 200 + number }
            if number % 3 == 1 { $0.certificate = "other" }
            $0.more = ["limits: {token: \(number % 4 < 2 ? "8KiB" : "16KiB")}"]
        }
        let line = try stand.reload()
        #expect(line.hasPrefix("reloaded \(stand.file): ") && line.contains("routes"), "\(line)")
    }

    private func refuse(_ stand: ReloadStand, _ number: Int) throws {
        try stand.edit { $0.routes = ["- {path: /v1/\(number), upstream: nowhere, tenant: maybe}"] }
        #expect(try stand.reload().hasPrefix("reload refused"))
        #expect(stand.gateway.process.errorText.contains("there is no upstream `nowhere`"))
        #expect(stand.gateway.process.errorText.contains("2 errors"))
    }
}

/// Clients that ask until they are told to stop: some on one connection each, some on a new one each time.
private final class ReloadLoad: Sendable {
    struct Result: LoadResult {
        var requests = 0
        var connections = 0
        var failures: [String] = []
    }

    private let run = LoadRun(Result())

    init(_ stand: ReloadStand, kept: Int = 4, fresh: Int = 2) {
        let text = stand.get("/v1/things")
        for _ in 0..<kept { run.begin { [self] in stay(stand.gateway, text) } }
        for _ in 0..<fresh { run.begin { [self] in comeAndGo(stand.gateway, text) } }
    }

    func waitForRequests(_ count: Int) { run.waitForRequests(count) }
    func stop() -> Result { run.stop() }

    private func stay(_ gateway: Gateway, _ text: String) {
        guard let client = connect(gateway) else { return }
        while !run.isOver, ask(client, text, staysOpen: true) {}
        client.stream.close()
    }

    private func comeAndGo(_ gateway: Gateway, _ text: String) {
        while !run.isOver {
            guard let client = connect(gateway) else { return }
            _ = ask(client, text, staysOpen: false)
            client.stream.close()
        }
    }

    private func connect(_ gateway: Gateway) -> WireClient? {
        do {
            let client = try gateway.client()
            run.note { $0.connections += 1 }
            return client
        } catch {
            run.note { $0.failures.append("connect: \(error)") }
            return nil
        }
    }

    /// False after a failure.
    private func ask(_ client: WireClient, _ text: String, staysOpen: Bool) -> Bool {
        do {
            let answer = try client.exchange(text)
            let isGood = answer.status == 200 && !answer.isCut && !(staysOpen && answer.endsConnection)
            run.note { result in
                result.requests += 1
                if !isGood { result.failures.append("status \(answer.status), \(answer.fields)") }
            }
            return isGood
        } catch {
            run.note { $0.failures.append("request: \(error)") }
            return false
        }
    }
}
